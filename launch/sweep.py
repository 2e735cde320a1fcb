"""``-m``: a grid of overrides, each point a process (or a SLURM job) of its own, never in this one.

Points that share a process share its GPU memory, its process group and its seeds (hydra#2631), so none do. Points that
share stages share artifacts: nine methods evaluate the base model once.
"""

from __future__ import annotations

import contextlib
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from launch.processes import CHECKOUT, forwarded
from resa.errors import ConfigError

if TYPE_CHECKING:
    from hydra._internal.config_loader_impl import ConfigLoaderImpl


@dataclass(frozen=True)
class Outcome:
    """How one point ended.

    Attributes:
        point: its overrides; status: exit status; seconds: wall time; log: where its output is, None for the terminal.
    """

    point: tuple[str, ...]
    status: int
    seconds: float
    log: Path | None


@dataclass(frozen=True)
class Running:
    """A point that has been started."""

    point: tuple[str, ...]
    process: subprocess.Popen[bytes]
    started: float
    log: Path | None


def expand(overrides: Sequence[str], config_loader: ConfigLoaderImpl | None = None) -> list[list[str]]:
    """The points of a grid, in Hydra's own reading of sweep overrides (``a=1,2``, ``a=range(3)``, ``group=glob(*)``).

    Args:
        overrides: as on the command line, without ``-m``.
        config_loader: needed only for ``glob``.

    Returns:
        one list of overrides a point; the last key varies fastest. ``["a=1,2", "b=0"]`` gives ``[["a=1", "b=0"],
        ["a=2", "b=0"]]``.

    Raises:
        ConfigError: an override cannot be read, or asks for something a grid has not (``interval``).
    """
    from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    try:
        parsed = OverridesParser.create(config_loader=config_loader).parse_overrides(list(overrides))
        (points,) = BasicSweeper.split_arguments(parsed, max_batch_size=None)
    except HydraException as error:
        raise ConfigError(f"this sweep cannot be read: {error}", where=" ".join(overrides)) from error
    return [list(point) for point in points]


def run(door: str, points: Sequence[Sequence[str]], launch: Mapping[str, Any], folder: Path | None = None) -> int:
    """Run every point by ``python DOOR OVERRIDES``, ``launch["parallel"]`` at a time, and print how each ended.

    With one at a time their output appears here; with more it goes to ``runs/sweeps/<time>/<nn>.log``. A point that
    fails does not stop the others; Ctrl-C and SIGTERM stop all.

    Args:
        door: file name in the checkout, ``train.py``; points: of :func:`expand`; launch: the launch node;
        folder: for the logs.

    Returns:
        0 if every point ended well, else 1.

    Raises:
        KeyboardInterrupt, SystemExit: stopped by SIGINT or SIGTERM, after the points have ended.
    """
    parallel = int(launch.get("parallel", 1))
    logs = folder or Path("runs") / "sweeps" / time.strftime("%Y%m%d-%H%M%S")
    if parallel > 1:
        logs.mkdir(parents=True, exist_ok=True)
    print(f"sweep: {len(points)} points, {parallel} at a time", flush=True)
    outcomes: list[Outcome] = []
    running: list[Running] = []
    processes: list[subprocess.Popen[bytes]] = []
    with forwarded(processes) as received:
        for number, point in enumerate(points, 1):
            if received:
                break
            log = logs / f"{number:02d}.log" if parallel > 1 else None
            print(f"[{number}/{len(points)}] {door} {shlex.join(point)}" + (f" > {log}" if log else ""), flush=True)
            running.append(start(door, point, log))
            processes.append(running[-1].process)
            collect(running, outcomes, leave=parallel - 1)
        collect(running, outcomes, leave=0)
    outcomes.sort(key=lambda outcome: list(map(tuple, points)).index(outcome.point))
    print(summary(outcomes), flush=True)
    if received:
        raise KeyboardInterrupt if received[0] == signal.SIGINT else SystemExit(128 + received[0])
    return 0 if all(outcome.status == 0 for outcome in outcomes) else 1


def start(door: str, point: Sequence[str], log: Path | None) -> Running:
    """Start one point. It gets a session of its own, so that a Ctrl-C on the terminal reaches it once, through us."""
    command = [sys.executable, str(CHECKOUT / door), *point]
    with log.open("wb") if log else contextlib.nullcontext() as stream:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT if stream else None,
            start_new_session=True,
        )
    return Running(tuple(point), process, time.monotonic(), log)


def collect(running: list[Running], outcomes: list[Outcome], leave: int) -> None:
    """Wait until no more than ``leave`` points run, and move the ended ones to ``outcomes``."""
    while len(running) > leave:
        for point in [point for point in running if point.process.poll() is not None]:
            running.remove(point)
            seconds = time.monotonic() - point.started
            outcomes.append(Outcome(point.point, point.process.returncode, seconds, point.log))
        if len(running) > leave:
            time.sleep(0.2)


def summary(outcomes: Sequence[Outcome]) -> str:
    """A line for each point: exit status, minutes, overrides, log."""
    lines = ["", "exit  minutes  point"]
    for outcome in outcomes:
        where = f"  ({outcome.log})" if outcome.log else ""
        lines.append(f"{outcome.status:4d}  {outcome.seconds / 60:7.1f}  {shlex.join(outcome.point)}{where}")
    failed = sum(1 for outcome in outcomes if outcome.status)
    lines.append(f"{len(outcomes) - failed} of {len(outcomes)} points ended well")
    return "\n".join(lines)
