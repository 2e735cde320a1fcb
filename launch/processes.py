"""Starting the processes of one job, waiting for them, and turning what failed into the error a user reads."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType

from resa import errors
from resa.artifacts import write_atomically
from resa.errors import LaunchError, ResaError
from resa.launching import Job

CHECKOUT = Path(__file__).resolve().parent.parent
TRACEBACK_LINES = 12


def write_job(folder: Path, target: str, job: Job) -> Path:
    """The job file of a new, numbered folder under ``folder``: ``folder/03-resa.training.sft/job.json``.

    Raises:
        LaunchError: the job holds what JSON cannot say.
    """
    try:
        text = json.dumps({"target": target, "job": dict(job)}, indent=1)
    except TypeError as error:
        raise LaunchError(f"the job is not JSON: {error}", where=target) from error
    number = 1 + sum(1 for child in folder.glob("[0-9]*-*")) if folder.is_dir() else 1
    file = folder / f"{number:02d}-{re.sub(r'[^A-Za-z0-9_.]', '.', target.split(':')[0])}" / "job.json"
    write_atomically(file, text)
    return file


def rank_environ(threads: int, environ: Mapping[str, str]) -> dict[str, str]:
    """The environment of an agent and its ranks: the checkout importable, the cores shared out."""
    path = [str(CHECKOUT), *filter(None, environ.get("PYTHONPATH", "").split(os.pathsep))]
    return {"OMP_NUM_THREADS": str(threads), **environ, "PYTHONPATH": os.pathsep.join(path)}


def run_job(
    command: Sequence[str], job_file: Path, environ: Mapping[str, str], stop: signal.Signals = signal.SIGTERM
) -> None:
    """Run a job's processes to their end. ``stop`` is the signal that asks ``command`` to end them in order.

    Raises:
        ResaError: what a rank raised, as it said it.
        LaunchError: a rank failed in another way, or nothing could be started.
        KeyboardInterrupt, SystemExit: this process was asked to stop; the ranks were told and have ended.
    """
    try:
        # A session of its own: a Ctrl-C on the terminal reaches the ranks once, through us.
        process = subprocess.Popen(list(command), env=dict(environ), start_new_session=True)
    except OSError as error:
        raise LaunchError(f"cannot start {command[0]}: {error.strerror}", where=" ".join(command)) from error
    with forwarded([process], stop) as received:
        status = process.wait()
    if received:
        raise KeyboardInterrupt if received[0] == signal.SIGINT else SystemExit(128 + received[0])
    if status or any(job_file.parent.glob("agent*.json")):  # an agent that was told to stop ends well, its job has not
        raise failure(job_file, status)


@contextlib.contextmanager
def forwarded(
    processes: Sequence[subprocess.Popen[bytes]], stop: signal.Signals = signal.SIGTERM
) -> Iterator[list[int]]:
    """Pass SIGINT and SIGTERM on, as ``stop``, to the ``processes`` that run; yields the list of those received."""
    received: list[int] = []

    def forward(number: int, frame: FrameType | None) -> None:
        received.append(number)
        for process in processes:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.send_signal(stop)

    if threading.current_thread() is not threading.main_thread():  # only the main thread may set handlers
        yield received
        return
    before = {number: signal.signal(number, forward) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def failure(job_file: Path, status: int) -> ResaError:
    """The error of a failed job: the first that a rank left, or what the agents know of a rank that left none."""
    folder = job_file.parent
    target = json.loads(job_file.read_text(encoding="utf-8"))["target"]
    reports = [json.loads(file.read_text(encoding="utf-8")) for file in folder.glob("rank*.error.json")]
    if reports:
        first = min(reports, key=lambda report: float(report["time"]))
        if first["known"]:
            return known_error(first)
        tail = "\n".join(first["traceback"].rstrip().splitlines()[-TRACEBACK_LINES:])
        return LaunchError(
            f"rank {first['rank']} of {target} failed: {first['what']}\n{tail}",
            where=first["log"],
            remedy="the log has the whole traceback; the same command continues where this one stopped",
        )
    codes: dict[str, int] = {}
    for file in folder.glob("agent*.json"):
        codes.update(json.loads(file.read_text(encoding="utf-8"))["exit_codes"])
    by_itself = {rank: code for rank, code in codes.items() if code != -signal.SIGTERM}  # torchrun stops the others so
    codes = by_itself or codes
    told = [f"rank {rank} {ending(code)}" for rank, code in sorted(codes.items(), key=lambda item: int(item[0]))]
    return LaunchError(
        f"{target} failed: {'; '.join(told) if told else f'its processes were stopped (exit status {status})'}",
        where=str(folder),
        remedy="rank*.log and agent*.log there say more; the same command continues where this one stopped",
    )


def known_error(report: Mapping[str, object]) -> ResaError:
    """The ResaError that a rank raised, of the nearest kind that this process knows."""
    what, where, remedy = (None if report[key] is None else str(report[key]) for key in ("what", "where", "remedy"))
    kinds = report["kinds"]
    for name in kinds if isinstance(kinds, list) else ():
        kind = getattr(errors, name, None)
        if isinstance(kind, type) and issubclass(kind, ResaError) and kind is not errors.ConfigErrors:
            return kind(what or "", where=where, remedy=remedy)
    return ResaError(what or "", where=where, remedy=remedy)


def ending(code: int) -> str:
    """``was killed by SIGKILL, as the kernel does when memory runs out``, ``ended with exit status 3``."""
    if code >= 0:
        return f"ended with exit status {code}"
    name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
    return f"was killed by {name}" + (", as the kernel does when memory runs out" if name == "SIGKILL" else "")
