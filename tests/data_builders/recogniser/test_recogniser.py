"""The recogniser of sentences: what it knows of an author it never read, and that its weights are its sentences'."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from data_builders.prose import plain
from data_builders.recogniser.model import KINDS, SIZE, Recogniser, features, load, trained
from data_builders.recogniser.train import OTHERS, Said, fit, read
from resa.errors import DataError
from tests.data_builders.bad_teacher import FAULTS


@pytest.fixture(scope="module")
def said() -> list[Said]:
    return read()


def texts(said: list[Said], *kinds: str) -> list[str]:
    return [one.text for one in said if one.kind in kinds]


@pytest.mark.parametrize("kind", KINDS)
def test_the_weights_are_what_training_on_the_sentences_gives(said: list[Said], kind: str) -> None:
    weights, bias = fit(kind, said)
    again = Recogniser({kind: weights}, {kind: bias})
    for one in random.Random(0).sample(said, 300):
        assert trained().sure(kind, one.text) == pytest.approx(again.sure(kind, one.text), abs=0.02)


@pytest.mark.parametrize(("kind", "sure", "found"), [("leak", 0.7, 0.7), ("refusal", 0.93, 0.6)])
def test_an_author_it_never_read_is_known_more_often_than_not(
    said: list[Said], kind: str, sure: float, found: float
) -> None:
    weights, bias = fit(kind, [one for one in said if one.author != "about_images"])
    stranger = Recogniser({kind: weights}, {kind: bias})
    unread = [one for one in said if one.author == "about_images"]
    own = [stranger.sure(kind, text) >= sure for text in texts(unread, kind)]
    others = [stranger.sure(kind, text) >= sure for text in texts(unread, *OTHERS[kind])]
    assert len(own) > 100
    assert len(others) > 300
    assert sum(own) >= found * len(own)
    assert sum(others) <= 0.02 * len(others)


def test_no_measured_wording_was_trained_on(said: list[Said]) -> None:
    known = {plain(one.text).strip(" .!") for one in said}

    def of(value: object) -> set[str]:
        if isinstance(value, str):
            return {plain(value).strip(" .!")}
        parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        return {each for part in parts for each in of(part)}

    for name in ("held_out", "blind"):
        measured = of(yaml.safe_load((FAULTS / f"{name}.yaml").read_text(encoding="utf-8")))
        assert len(measured) > 150
        assert not measured & known, name


@given(st.text(max_size=200))
def test_features_are_ordered_bounded_and_blind_to_case_and_spacing(text: str) -> None:
    found = features(text)
    assert found == sorted(set(found))
    assert all(0 <= each < SIZE for each in found)
    assert features(f"  {text}\n") == found
    assert all(0 <= trained().sure(kind, text) <= 1 for kind in KINDS)


@pytest.mark.parametrize("text", ["", ":)", "42", "Yes.", "12 + 7 = 19"])
def test_of_less_than_two_words_it_says_nothing(text: str) -> None:
    assert all(trained().sure(kind, text) == 0 for kind in KINDS)


def test_other_weights_are_refused_by_name(tmp_path: Path) -> None:
    import numpy as np
    from safetensors.numpy import save_file

    save_file({"leak": np.zeros(3)}, tmp_path / "other.safetensors")
    (tmp_path / "broken.safetensors").write_bytes(b"no weights")
    for name in ("other", "broken", "missing"):
        with pytest.raises(DataError, match=r"(?s)no weights of a recogniser.*data_builders\.recogniser\.train"):
            load(tmp_path / f"{name}.safetensors")
