"""Readers on real public data, where they are at hand (RESA_SHARED, or ../shared beside the checkout)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from eval.benchmark import MultiTrust
from eval.tasks.base import Source
from eval.tasks.over_refusal import XSTest
from eval.tasks.utility import WordProblems

pytestmark = pytest.mark.real_data
SHARED = Path(os.environ.get("RESA_SHARED") or Path(__file__).resolve().parents[4] / "shared")


def folder(name: str) -> str:
    found = SHARED / "data" / name
    if not found.is_dir():
        pytest.skip(f"no real data at {found}")
    return str(found)


def test_figstep_images() -> None:
    samples = MultiTrust("x", ["figstep"]).samples({"figstep": folder("figstep")})
    assert len(samples) == 180
    assert len({sample.meta["behaviour"] for sample in samples}) > 150
    assert {len(sample.images) for sample in samples} == {1}


def test_xstest_prompts() -> None:
    ((_, samples),) = XSTest("xstest").samples(Source({"over_refusal": folder("xstest")}))
    assert len(samples) == 250


def test_gsm8k() -> None:
    root = folder("gsm8k")
    files = {"gsm8k": next(file.name for file in Path(root).glob("*.jsonl"))}
    ((_, samples),) = WordProblems("gsm8k", files=files).samples(Source({"utility": root}))
    assert len(samples) == 1319
    assert samples[0].target == 18
