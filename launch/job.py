"""``python -m launch.job RUN_DIR``: what a SLURM job runs on its first node: a door's pipeline, without Hydra."""

from __future__ import annotations

import importlib
import json
import signal
import sys
from pathlib import Path
from types import FrameType

from resa.errors import LaunchError, ResaError


def main(arguments: list[str]) -> int:
    """Call ``pipeline(config, run_dir)`` of the door that was submitted, and return its exit status."""
    run_dir = Path(arguments[0])
    signal.signal(signal.SIGTERM, stop)
    try:
        return run(run_dir)
    except ResaError as error:
        print(f"error: {error}", file=sys.stderr, flush=True)
        return 1


def run(run_dir: Path) -> int:
    """Raises:
    LaunchError: the run folder was not made by a door that submits.
    """
    file = run_dir / "launch" / "run.json"
    try:
        submitted = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise LaunchError("not a submitted run", where=str(file), remedy="submit it: launch=slurm") from None
    door = importlib.import_module(Path(submitted["door"]).stem)
    status = getattr(door, submitted["pipeline"])(submitted["config"], run_dir)
    return int(status or 0)


def stop(number: int, frame: FrameType | None) -> None:
    """The time limit is near (or someone cancels): unwind, so that locks are released and logs are closed."""
    raise SystemExit(128 + number)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
