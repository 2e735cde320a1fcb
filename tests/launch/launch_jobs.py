"""Cheap jobs for the launch tests; ranks import them by name."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

from resa import ranks
from resa.errors import DataError


def meet(job: dict[str, Any]) -> None:
    """Every rank says who it is; rank 0 is late for the barrier and then writes what all said."""
    out = Path(job["output_dir"])
    said = [ranks.gather_json({"rank": ranks.rank(), "turn": turn}, "who") for turn in range(2)]
    threads = ranks.gather_json(os.environ.get("OMP_NUM_THREADS"), "threads")
    print(f"rank {ranks.rank()} speaks", flush=True)
    if ranks.is_main():
        time.sleep(job.get("late", 0))
        (out / "main_was_here").touch()
    ranks.barrier("late main")
    seen = ranks.gather_json((out / "main_was_here").exists(), "seen")
    if ranks.is_main():
        world = {"world_size": ranks.world_size(), "said": said, "threads": threads, "seen": seen}
        (out / "world.json").write_text(json.dumps({**world, "job": job}))


def fail(job: dict[str, Any]) -> None:
    """Rank 1 fails in the way that the job names while the others wait for it."""
    if ranks.rank() == 1:
        if job["how"] == "known":
            raise DataError("unreadable image", where="cat.png", remedy="replace it")
        if job["how"] == "killed":
            os.kill(os.getpid(), 9)
        raise ValueError("boom")
    ranks.barrier("never")


def sleep(job: dict[str, Any]) -> None:
    """Say the process id and stay until someone ends it; on SIGTERM, take a moment to end in order."""

    def end(number: int, frame: object) -> None:
        time.sleep(1)
        (Path(job["output_dir"]) / f"{os.getpid()}.ended").touch()
        os._exit(1)

    signal.signal(signal.SIGTERM, end)
    (Path(job["output_dir"]) / f"{os.getpid()}.pid").touch()
    time.sleep(300)
