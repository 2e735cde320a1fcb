"""How near an endpoint teacher comes to what its server allows: every row asked, every reply kept on disk.

    python -m benchmarks.teacher_throughput
    python -m benchmarks.teacher_throughput --failing 0.1

The server (`benchmarks/paced_server.py`, a process of its own) takes 200 ms an answer and allows 64 requests in flight;
half of the rows have an image. ``asking`` is measured from the first question to the last kept reply; ``steady`` until
the last question has been sent, without the end in which places stay empty and the last failures wait for their next
attempt; ``whole`` also counts rendering the briefs and handing back the rows, before and after. The rates are shares of

- ``allowed``: 64 / 0.2 s, what the server gives when nothing fails;
- ``perfect``: what a client without any cost of its own could get. Where requests fail, failing ones take a place as
  well: three of four as long as an answer, the fourth until the client's own time limit. With f failing and a limit of
  T seconds an attempt takes 0.2 (1 - f / 4) + T f / 4 seconds on average, and (1 - f) of the attempts are good.

Prints one line of JSON; the
``sha256`` is of what the teacher hands on, which failures must not change.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from data_builders.respondents.base import Keep, Question, Reply, Session
from data_builders.rows import Row
from data_builders.teachers.base import Workshop
from data_builders.teachers.openai import OpenAITeacher
from resa.types import Turn


@contextlib.contextmanager
def paced_server(latency: float, allowed: int, failing: float) -> Iterator[str]:
    """The server's address, while the block runs."""
    command = [sys.executable, "-m", "benchmarks.paced_server", f"--latency={latency}", f"--allowed={allowed}"]
    with subprocess.Popen([*command, f"--failing={failing}"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def rows(folder: Path, count: int) -> list[Row]:
    """Rows to be thought about, every other one with a small image of its own."""
    from PIL import Image

    made = []
    for number in range(count):
        images: tuple[str, ...] = ()
        if number % 2:
            file = folder / f"{number}.png"
            Image.new("RGB", (84, 84), (number % 256, number // 256 % 256, 90)).save(file)
            images = (str(file),)
        turn = Turn("user", f"How do I make thing number {number} of all the things that there are?", images)
        hashes = tuple(hashlib.sha256(Path(image).read_bytes()).hexdigest() for image in images)
        said = "I cannot help with that. It is harmful."
        made.append(Row(f"p/{number}", "p", "s", (turn,), said, "harmful", thinks=True, image_hashes=hashes))
    return made


class TimedTeacher(OpenAITeacher):
    """The teacher as it is, with the time its asking took."""

    def respond(self, questions: Any, total: int, keep: Keep, session: Session) -> Any:
        started, kept, drawn = (time.perf_counter(), time.process_time()), 0, (1, 1.0)

        def noted() -> Iterator[Question]:
            nonlocal drawn
            yield from questions
            drawn = (kept, time.perf_counter() - started[0])

        def count(replies: Mapping[str, Reply]) -> None:
            nonlocal kept
            keep(replies)
            kept += len(replies)

        try:
            return super().respond(noted(), total, count, session)
        finally:
            took = time.perf_counter() - started[0], time.process_time() - started[1]
            object.__setattr__(self, "took", (*took, drawn[0] / drawn[1]))


def measure(given: argparse.Namespace, failing: float, folder: Path) -> dict[str, Any]:
    """One run over all rows, with a log of its own."""
    made = rows(folder, given.rows)
    with paced_server(given.latency, given.allowed, failing) as url:
        warm_up(url, folder / "warm")
        teacher = TimedTeacher(
            model="m", base_url=url, concurrency=given.allowed, timeout_s=given.timeout_s, give_up_after=1000
        )
        started = time.perf_counter()
        with teacher.open(Workshop("kept", folder / "drafts", {}, {}, progress=given.progress)) as rewrite:
            seen = hashlib.sha256()
            for row, reason in rewrite(made):
                seen.update(json.dumps([row.id, row.completion, reason]).encode())
        whole = time.perf_counter() - started
        with urllib.request.urlopen(url.removesuffix("/v1") + "/stats") as told:
            served = json.load(told)
    asking, processor, steady = vars(teacher)["took"]
    attempt = given.latency * (1 - failing / 4) + given.timeout_s * failing / 4
    allowed, perfect = given.allowed / given.latency, given.allowed / attempt * (1 - failing)
    return {
        "failing": failing,
        "steady_of_allowed": round(steady / allowed, 3),
        "steady_of_perfect": round(steady / perfect, 3),
        "asking_of_allowed": round(given.rows / asking / allowed, 3),
        "asking_of_perfect": round(given.rows / asking / perfect, 3),
        "whole_of_perfect": round(given.rows / whole / perfect, 3),
        "perfect_of_allowed": round(perfect / allowed, 3),
        "processor_of_asking": round(processor / asking, 3),
        "served": served,
        "sha256": seen.hexdigest()[:16],
    }


def warm_up(url: str, folder: Path) -> None:
    """Import what a first call imports."""
    from data_builders.respondents.log import ReplyLog

    teacher = OpenAITeacher(model="m", base_url=url, concurrency=1)
    log, replies = ReplyLog(folder, "warm", {}), dict[str, Reply]()
    teacher.respond([Question("warm", (Turn("user", "warm"),))], 1, replies.update, Session("warm", {}))
    log.add(replies)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=9600)
    parser.add_argument("--latency", type=float, default=0.2)
    parser.add_argument("--allowed", type=int, default=64)
    parser.add_argument("--failing", type=float, nargs="*", default=[0.0, 0.1])
    parser.add_argument("--timeout-s", type=float, default=0.6)
    parser.add_argument("--progress", action="store_true")
    given = parser.parse_args()
    for failing in given.failing:
        with tempfile.TemporaryDirectory() as folder:
            print(json.dumps(measure(given, failing, Path(folder))), flush=True)


if __name__ == "__main__":
    main()
