"""Waiting for a SLURM job as if it ran here: its output appears as it is written, its exit status is ours."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

from resa.errors import LaunchError

UNFINISHED = {"PENDING", "CONFIGURING", "RUNNING", "COMPLETING", "SUSPENDED", "STOPPED", "REQUEUED", "REQUEUE_HOLD"}
UNFINISHED |= {"RESIZING", "SIGNALING", "STAGE_OUT", "SPECIAL_EXIT", "RESV_DEL_HOLD", "REQUEUE_FED", "REVOKED"}


def wait_for(job_id: str, folder: Path, ask: Callable[[list[str]], str] | None = None, pause: float = 2.0) -> int:
    """Show a job's output until it ends.

    Args:
        job_id: the job; folder: where its ``slurm-<id>.out`` is; ask: runs a SLURM command (default: for real);
        pause: seconds between two looks.

    Returns:
        the job's exit status; 1 where it ended by a time limit, a node failure or the like.
    """
    from launch.slurm import ask_slurm

    output, shown = folder / f"slurm-{job_id}.out", 0
    fields: dict[str, str] = {}
    while True:
        try:
            fields = fields_of((ask or ask_slurm)(["scontrol", "show", "job", "--oneliner", job_id]))
        except LaunchError:
            if not fields:  # it never was there; afterwards SLURM forgets ended jobs after some minutes
                raise
            break
        shown = show(output, shown)
        if fields["JobState"] not in UNFINISHED:
            break
        time.sleep(pause)
    show(output, shown)
    return status_of(job_id, fields)


def fields_of(line: str) -> dict[str, str]:
    """``JobId=7 JobState=COMPLETED ...`` as a mapping."""
    return {key: value for key, sign, value in (word.partition("=") for word in line.split()) if sign}


def show(output: Path, shown: int) -> int:
    """Print what has been added to a file beyond its first ``shown`` bytes; the new number of bytes shown."""
    if not output.is_file():
        return shown
    with output.open("rb") as stream:
        stream.seek(shown)
        added = stream.read()
    sys.stdout.write(added.decode("utf-8", errors="replace"))
    sys.stdout.flush()
    return shown + len(added)


def status_of(job_id: str, fields: dict[str, str]) -> int:
    """A job's exit status, said on stderr where it is not 0."""
    state, (code, _, received) = fields["JobState"], fields.get("ExitCode", "1:0").partition(":")
    if state == "COMPLETED":
        return 0
    print(f"SLURM job {job_id} ended as {state} (exit status {code}, signal {received})", file=sys.stderr, flush=True)
    return int(code) or 1
