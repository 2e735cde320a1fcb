"""Which launcher a configuration asks for."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from launch.local import Local, Torchrun
from launch.slurm import Slurm, SlurmSteps
from resa.errors import LaunchError
from resa.launching import InProcess, Launcher

FOLDER = "launch"


def refuse_torchrun(door: str) -> None:
    """Refuse to start as a rank: each rank would compose, sweep and write the same run.

    Raises:
        LaunchError: torchrun, accelerate or deepspeed started this door.
    """
    if "RANK" in os.environ and "WORLD_SIZE" in os.environ:
        raise LaunchError(
            f"{door} was started by torchrun (or accelerate, or deepspeed)",
            where=f"RANK={os.environ['RANK']} WORLD_SIZE={os.environ['WORLD_SIZE']}",
            remedy=f"start it by python, it starts torchrun itself: python {door} ... launch.processes=N",
        )


def is_submitted(config: Mapping[str, Any]) -> bool:
    """Whether a door submits this run instead of running it."""
    return isinstance(launch_of(config), Slurm)


def launch_of(config: Mapping[str, Any]) -> Local | Slurm:
    """The launch node as its dataclass.

    Raises:
        ConfigError: a value is bad. LaunchError: the node is of another kind.
    """
    from hydra.utils import instantiate

    launch = instantiate(config["launch"], _convert_="all")
    if isinstance(launch, Local | Slurm):
        return launch
    raise LaunchError(f"unknown kind of launch: {type(launch).__name__}", where="launch", remedy="launch=local")


def launcher_for(config: Mapping[str, Any], run_dir: Path) -> Launcher:
    """The launcher of a run. One process without DeepSpeed stays in this process; DeepSpeed needs a process group, so
    it goes through torchrun even alone.

    Args:
        config: the resolved configuration (its ``launch`` and ``deepspeed`` nodes are read).
        run_dir: the run folder; job files and rank logs go to ``launch/`` in it.

    Raises:
        LaunchError: ``launch=slurm`` outside of a SLURM job.
    """
    launch, folder = launch_of(config), run_dir.resolve() / FOLDER
    alone = (config.get("deepspeed") or {}).get("name", "none") == "none"
    if isinstance(launch, Slurm):
        return InProcess() if launch.world_size == 1 and alone else SlurmSteps.here(launch, folder)
    count = launch.count()
    return InProcess() if count == 1 and alone else Torchrun(count, folder)
