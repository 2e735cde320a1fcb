"""Prompts that are nearly the same, and those that only look so."""

from __future__ import annotations

import random
import subprocess
import sys
from dataclasses import replace

import pytest

from data_builders.filters.base import Check, Surroundings
from data_builders.filters.near_duplicates import NearDuplicateFilter
from data_builders.rows import Row
from resa.errors import ConfigError
from resa.types import Turn

SORRY, STEPS = "I'm sorry, but I cannot help with that.", "Step 1: heat it."
WORDS = [f"word{number}" for number in range(500)]


def row(name: str, prompt: str, answer: str = STEPS, **fields: object) -> Row:
    return replace(Row(f"part/{name}", "part", "test", (Turn("user", prompt),), answer), **fields)  # type: ignore[arg-type]


def prompt_of(words: int, seed: int = 0) -> list[str]:
    return random.Random(seed).sample(WORDS, words)


@pytest.fixture
def check() -> Check:
    return NearDuplicateFilter().open(Surroundings({}))


def test_the_first_of_nearly_the_same_prompts_stays_and_the_reason_names_it(check: Check) -> None:
    words = prompt_of(60)
    assert check(row("first", " ".join(words))) is None
    changed = [*words[:30], "other", *words[31:]]
    assert check(row("second", " ".join(changed))) == "near-duplicate prompt: resembles part/first"
    assert check(row("third", f"Please, {' '.join(words).upper()}!")) == "near-duplicate prompt: resembles part/first"


def test_one_word_in_thirty_makes_another_prompt(check: Check) -> None:
    """Each in its own place, first and last word included: a word counts the same wherever it stands."""
    dropped = 0
    for seed in range(50):
        words = prompt_of(30, seed)
        changed = [*words]
        changed[seed % 30] = "other"
        assert check(row(f"{seed}", " ".join(words))) is None
        dropped += check(row(f"{seed}b", " ".join(changed))) is not None
    assert dropped <= 5, "0.74 in common: an estimate of 0.8 or more is rare"


def test_short_prompts_are_not_compared(check: Check) -> None:
    words = prompt_of(19)
    assert check(row("1", " ".join(words))) is None
    assert check(row("2", " ".join(words))) is None


@pytest.mark.parametrize("labels", [("harmful", "benign"), (None, None)])
def test_a_benign_twin_stays_however_long_the_prompt(check: Check, labels: tuple[str | None, str | None]) -> None:
    words = prompt_of(200)
    assert check(row("harmful", " ".join([*words, "poison"]), SORRY, label=labels[0])) is None
    assert check(row("twin", " ".join([*words, "bread"]), STEPS, label=labels[1])) is None


def test_other_images_histories_and_pairs_make_other_rows(check: Check) -> None:
    one = row("1", " ".join(prompt_of(40)))
    earlier = (Turn("user", "Hello."), Turn("assistant", "Hello!"))
    others = [
        replace(one, id="part/2", image_hashes=("aa",)),
        replace(one, id="part/3", image_hashes=("bb",)),
        replace(one, id="part/4", prompt=(*earlier, *one.prompt)),
        replace(one, id="part/5", rejected="worse"),
        replace(one, id="part/6", rejected="worst"),
    ]
    assert [check(other) for other in (one, *others)] == [None] * 6
    assert check(replace(others[1], id="part/7")) == "near-duplicate prompt: resembles part/3"


def test_the_same_rows_go_in_every_process() -> None:
    program = (
        "from tests.data_builders.filters.test_near_duplicates import *\n"
        "check, rng = NearDuplicateFilter().open(Surroundings({})), random.Random(5)\n"
        "words = [prompt_of(40, seed) for seed in range(40)]\n"
        "print([bool(check(row(str(n), ' '.join([*words[n % 40][: 40 - n // 40], 'x'])))) for n in range(400)])\n"
    )
    said = [
        subprocess.run(
            [sys.executable, "-c", program], env={"PYTHONHASHSEED": seed, "PATH": ""}, capture_output=True, text=True
        ).stdout
        for seed in ("1", "2")
    ]
    assert said[0] == said[1]
    assert "True" in said[0]


@pytest.mark.parametrize("bad", [{"threshold": 0}, {"threshold": 1.5}, {"shingle": 0}, {"bands": 7}])
def test_bad_values_are_configuration_errors(bad: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=r"threshold|at least 1|do not divide"):
        NearDuplicateFilter(**bad)  # type: ignore[arg-type]
