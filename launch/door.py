"""What every door does around its pipeline: read the command line, go where it should run, end with a clear word.

Exit status: 0 well, 1 an error, 2 a mistake on the command line, 130 Ctrl-C, 143 SIGTERM.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

from resa.configuration.command import Command, read_command
from resa.errors import ConfigError, ResaError
from resa.run_folder import new_run_dir

Pipeline = Callable[[dict[str, Any], Path], int]
Plan = Callable[[Command], tuple[dict[str, Any], str]]
"""From a command to its final configuration and the name of its method."""


def enter(door: str, pipeline: Pipeline, plan: Plan, arguments: Sequence[str] | None = None) -> int:
    """Run a door from its command line; returns the exit status.

    Args:
        door: name of the door and of its primary configuration, ``train``.
        pipeline: its work, ``pipeline(config, run_dir)``.
        plan: what is known before any work; may raise ResaError.
        arguments: the command line; by default the process's own.
    """
    given = sys.argv[1:] if arguments is None else list(arguments)
    signal.signal(signal.SIGTERM, stop)
    quiet_libraries()
    try:
        return _enter(f"{door}.py", door, pipeline, plan, given)
    except ConfigError as error:
        return _told(error, 2)
    except ResaError as error:
        return _told(error, 1)
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


def _enter(file: str, door: str, pipeline: Pipeline, plan: Plan, arguments: Sequence[str]) -> int:
    from launch import slurm, sweep
    from launch.select import is_submitted, refuse_torchrun

    refuse_torchrun(file)
    command = read_command(door, arguments, sweep.expand)
    if command is None:
        return 0
    if command.points:
        return sweep.run(file, command.points, command.config["launch"])
    config, method = plan(command)
    run_dir = new_run_dir(config, method, ["python", file, *arguments])
    if is_submitted(config):
        return slurm.submit(config, run_dir, file)
    return pipeline(config, run_dir)


def quiet_libraries() -> None:
    """Where there is no terminal, a library's progress bar is a hundred lines. Ranks inherit this."""
    if not sys.stderr.isatty():
        os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
        os.environ.setdefault("HF_DATASETS_DISABLE_PROGRESS_BARS", "1")


def stop(number: int, frame: FrameType | None) -> None:
    """SIGTERM: unwind, so that locks are released, logs closed, and what is begun can go on."""
    raise SystemExit(128 + number)


def _told(error: ResaError, status: int) -> int:
    sys.stdout.flush()
    print(f"error: {error}", file=sys.stderr, flush=True)
    return status
