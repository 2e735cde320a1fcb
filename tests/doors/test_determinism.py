"""The same command gives the same scores, byte for byte: again, after kills at any moment, and on two ranks."""

from __future__ import annotations

import math
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from eval.generating import RESPONSES
from resa.artifacts import read_jsonl
from tests.doors.test_pipeline import CHECKOUT, Ran, door, environment, scores_of

OPTIONS = (
    "model=tiny", "paths.size=0.02", "benchmark.tasks=[S5,F2,P1,utility,xstest]", "benchmark.limit=40",
    "benchmark.draws=100", "tracking=none", "engine.batch_size=4",
)  # fmt: skip
KILLS = 5
SEED = 11


@pytest.fixture(scope="module", autouse=True)
def image_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Decoded images go to a folder of this module."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("first")


@pytest.fixture(scope="module")
def first(root: Path) -> Ran:
    return evaluated(root)


def evaluated(root: Path, *options: str) -> Ran:
    ran = door("evaluate", root, *OPTIONS, *options)
    assert ran.code == 0, ran.output
    return ran


def answers_of(run: Ran) -> list[dict[str, Any]]:
    """The answers in the stored order, without what the clock said and the hash over where the images lie."""
    return [
        {**row, "seconds": 0, "prompt": ""} for row in read_jsonl(run.folder / "artifacts" / "responses" / RESPONSES)
    ]


def in_the_same_world(root: Path, place: Path) -> Path:
    shutil.copytree(root / "artifacts" / "world", place / "artifacts" / "world")
    return place


def test_another_run_from_nothing_gives_the_same_bytes(first: Ran, tmp_path: Path) -> None:
    """The world is drawn anew too, in another folder."""
    again = evaluated(tmp_path)
    assert scores_of(again) == scores_of(first)
    assert answers_of(again) == answers_of(first)
    assert len(answers_of(again)) > 80


def test_two_ranks_give_the_answers_of_one_sample_by_sample(first: Ran, root: Path, tmp_path: Path) -> None:
    two = evaluated(in_the_same_world(root, tmp_path), "launch.processes=2")
    for one, other in zip(answers_of(first), answers_of(two), strict=True):
        assert one == other
    assert scores_of(two) == scores_of(first)


@pytest.mark.timeout(1200)  # seven processes, on a machine that may be loaded
def test_killed_five_times_it_gives_the_same_bytes(first: Ran, root: Path, tmp_path: Path) -> None:
    """Seeded moments, measured in answers written, so that they adapt to the machine: once before there is any, then
    ever later, and at last when all are there and are being judged."""
    rng = random.Random(SEED)
    expected = (first.folder / "artifacts" / "responses" / RESPONSES).stat().st_size
    moments = [0.0, *sorted(rng.uniform(0.05, 0.9) for _ in range(KILLS - 2)), math.inf]
    answers = in_the_same_world(root, tmp_path) / "artifacts" / "responses"
    places = (f"artifacts_dir={tmp_path}/artifacts", f"runs_dir={tmp_path}/runs")
    command = [sys.executable, "evaluate.py", *places, *OPTIONS]
    written = []
    for moment in moments:
        run = subprocess.Popen(command, cwd=CHECKOUT, env=environment(), stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, start_new_session=True)  # fmt: skip
        while run.poll() is None and progress(answers) < moment * expected:
            time.sleep(0.005)
        time.sleep(rng.uniform(0.0, 0.05) if moment else rng.uniform(0.5, 3.0))
        alive = run.poll() is None
        os.killpg(run.pid, signal.SIGKILL) if alive else None
        run.wait()
        assert alive, f"it ended by itself before it was killed at {moment:.2f} of its answers: give it more samples"
        written.append(progress(answers))
    assert written == sorted(written), "no kill loses what was answered before"
    assert any(0 < size < expected for size in written), "at least one fell in the midst of them"
    last = evaluated(tmp_path)
    assert scores_of(last) == scores_of(first)
    assert answers_of(last) == answers_of(first)
    assert not list(answers.glob("*.partial"))


def progress(answers: Path) -> float:
    """Bytes of answers written so far, in parts or merged; everything once the artifact is there. Read in the order in
    which files come and go, so that answers that move meanwhile are never missed."""
    parts = sum(map(size_of, answers.glob("*.partial/parts/*.jsonl")))
    merged = sum(map(size_of, answers.glob(f"*.partial/{RESPONSES}")))
    if any((found / RESPONSES).is_file() for found in answers.glob("*") if found.suffix != ".partial"):
        return math.inf
    return float(max(parts, merged))


def size_of(file: Path) -> int:
    """Of a file that may have gone since it was seen."""
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0
