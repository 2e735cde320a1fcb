"""``launch=local``: one process here, or torchrun with several."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from launch.processes import rank_environ, run_job, write_job
from resa.errors import ConfigError
from resa.launching import Job, call


@dataclass(frozen=True)
class Local:
    """Processes on this machine.

    Attributes:
        processes: ranks of the stages that can share their work; ``auto`` is one a GPU, or one where there is none.
        parallel: how many points of a sweep (``-m``) run at a time.
    """

    name: str = "local"
    processes: int | str = 1
    parallel: int = 1

    def __post_init__(self) -> None:
        if self.processes != "auto" and not (isinstance(self.processes, int) and self.processes >= 1):
            raise ConfigError(
                f"launch.processes must be a number from 1 or 'auto', not {self.processes!r}",
                where="launch.processes",
                remedy="launch.processes=2",
            )
        if not isinstance(self.parallel, int) or self.parallel < 1:
            raise ConfigError(
                f"launch.parallel must be a number from 1, not {self.parallel!r}",
                where="launch.parallel",
                remedy="launch.parallel=2",
            )

    def count(self) -> int:
        """The number of ranks."""
        return max(1, visible_gpus()) if self.processes == "auto" else int(self.processes)


def visible_gpus() -> int:
    """How many NVIDIA GPUs this process may use, found without torch."""
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    if named is not None:
        return sum(1 for item in named.split(",") if item.strip() and item.strip() != "-1")
    try:
        listing = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return 0
    return sum(1 for line in listing.stdout.splitlines() if line.startswith("GPU ")) if listing.returncode == 0 else 0


@dataclass(frozen=True)
class Torchrun:
    """Runs a job that shares its work under torchrun on this machine, any other in this process.

    Attributes:
        world_size: number of ranks.
        folder: where job files and rank logs go.
    """

    world_size: int
    folder: Path

    def run(self, target: str, job: Job, *, ranks: bool) -> None:
        if not ranks:
            call(target, job)
            return
        job_file = write_job(self.folder, target, job)
        threads = max(1, (os.cpu_count() or 1) // self.world_size)
        run_job(self.command(job_file), job_file, rank_environ(threads, os.environ))

    def command(self, job_file: Path) -> list[str]:
        # --standalone: a c10d rendezvous on a free port. The address is said outright: the machine's own name need not
        # resolve (containers, laptops off the net).
        per_node = ["--standalone", "--local-addr=127.0.0.1", f"--nproc-per-node={self.world_size}"]
        return [sys.executable, "-m", "launch.agent", str(job_file), *per_node, "--max-restarts=0"]
