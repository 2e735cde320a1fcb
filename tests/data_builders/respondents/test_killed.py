"""Killed at random moments, the command goes on where it was: no kept answer is asked for again, and in the end there
is what an undisturbed run makes."""

from __future__ import annotations

import random
import subprocess
import time
from pathlib import Path

import pytest

from tests.data_builders.taught import (
    CHECKOUT,
    CONCURRENCY,
    build,
    command,
    dataset_of,
    environ,
    logged,
    mark,
    taught,
    write_vlguard,
)
from tests.loopback import Server, serving


def kill_while_asking(server: Server, data: Path, store: Path, draw: random.Random, most: int) -> None:
    """Start the command and end it with SIGKILL, at a random moment after the server got up to ``most`` more calls."""
    process = subprocess.Popen(
        command(server, data, store), cwd=CHECKOUT, env=environ(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    wanted = len(server.calls) + draw.randint(0, most)
    end = time.monotonic() + 120
    while len(server.calls) < wanted and time.monotonic() < end:
        assert process.poll() is None, "it ended before it could be killed"
        time.sleep(0.001)
    time.sleep(draw.uniform(0, 0.05))
    process.kill()
    process.wait()


def wait_for_stragglers(server: Server) -> None:
    """Until what the killed one had sent has reached the server, and been answered."""
    seen = -1
    while server.in_flight or len(server.calls) > seen:
        seen = len(server.calls)
        time.sleep(0.3)


def killed_and_finished(tmp_path: Path, kills: int, pictures: int) -> None:
    draw, data = random.Random(kills), write_vlguard(tmp_path / "data", pictures)
    disturbed, undisturbed = tmp_path / "disturbed", tmp_path / "undisturbed"
    with serving(taught) as server:
        whole = build(server, data, undisturbed)
        assert whole.returncode == 0, whole.stderr
        questions = len(server.calls)
        assert questions == len({mark(call.prompt) for _, call in server.calls}), "none is asked twice"
        assert questions > pictures, "a thought of every row, and twins with theirs"
        server.calls.clear()
        for _ in range(kills):
            kept, before = set(marks(logged(disturbed))), len(server.calls)
            kill_while_asking(server, data, disturbed, draw, 2 * questions // (3 * kills))
            wait_for_stragglers(server)
            asked = {mark(call.prompt) for _, call in server.calls[before:]}
            assert not asked & kept, "what is kept is not asked again"
            assert len(asked - set(marks(logged(disturbed)))) <= CONCURRENCY, "what was in flight is lost, and no more"
        done = build(server, data, disturbed)
        assert done.returncode == 0, done.stderr
        asked = [mark(call.prompt) for _, call in server.calls]
        kept = marks(logged(disturbed))
    assert len(kept) == len(set(kept)) == questions
    assert len(asked) <= questions + kills * CONCURRENCY
    assert dataset_of(disturbed) == dataset_of(undisturbed)


def marks(kept: str) -> list[str]:
    return [f"mark{part[:8]}" for part in kept.split("mark")[1:]]


def test_three_kills(tmp_path: Path) -> None:
    killed_and_finished(tmp_path, kills=3, pictures=60)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_twenty_kills(tmp_path: Path) -> None:
    killed_and_finished(tmp_path, kills=20, pictures=400)
