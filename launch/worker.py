"""``python -m launch.worker JOB.json``: one rank. Calls the job's function; leaves its error in a file if it fails.

Rank 0 speaks on the terminal; every other rank writes to ``rank<N>.log`` beside the job.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
import traceback
from pathlib import Path
from typing import Any

from launch.lifeline import die_with_parent
from resa import ranks
from resa.errors import ResaError
from resa.launching import call


def main(arguments: list[str]) -> int:
    die_with_parent()
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)  # meant for the agent, but SLURM may send it to all of a task
    job_file = Path(arguments[0])
    log = job_file.with_name(f"rank{ranks.rank()}.log")
    if not ranks.is_main():
        redirect(log)
    try:
        work = json.loads(job_file.read_text(encoding="utf-8"))
        call(work["target"], work["job"])
        # torchrun's store lives in the first node's agent, which leaves some minutes after its own ranks have: wait.
        ranks.barrier("end of job")
        leave_process_group()
    except Exception as error:
        say(error, job_file, log)
        return 1
    return 0


def redirect(log: Path) -> None:
    """Send this process's output, that of its libraries and children included, to a file."""
    sys.stdout.flush()
    sys.stderr.flush()
    with log.open("ab") as stream:
        os.dup2(stream.fileno(), 1)
        os.dup2(stream.fileno(), 2)


def say(error: Exception, job_file: Path, log: Path) -> None:
    """Leave the error for the launching process, and the traceback in this rank's log."""
    told = "".join(traceback.format_exception(error))
    with log.open("a", encoding="utf-8") as stream:
        stream.write(told)
    known = isinstance(error, ResaError)
    report: dict[str, Any] = {
        "time": time.time(),
        "rank": ranks.rank(),
        "kinds": [kind.__name__ for kind in type(error).__mro__],
        "what": error.what if isinstance(error, ResaError) else f"{type(error).__name__}: {error}",
        "where": error.where if isinstance(error, ResaError) else None,
        "remedy": error.remedy if isinstance(error, ResaError) else None,
        "known": known,
        "log": str(log),
        "traceback": told,
    }
    partial = job_file.with_name(f".rank{ranks.rank()}.error")
    partial.write_text(json.dumps(report), encoding="utf-8")
    partial.replace(job_file.with_name(f"rank{ranks.rank()}.error.json"))


def leave_process_group() -> None:
    """Close the process group that the job's libraries opened, so that the ranks end together and in silence."""
    if "torch" in sys.modules:
        from torch import distributed

        if distributed.is_available() and distributed.is_initialized():
            distributed.destroy_process_group()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
