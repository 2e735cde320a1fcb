"""Whether a JSON value can stand where a dataclass is annotated so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import pytest

from resa.configuration.nodes import fits, wording
from resa.configuration.secrets import redacted, secrets_of


@pytest.mark.parametrize(
    ("value", "hint", "right"),
    [
        (1, int, True),
        (True, int, False),
        (1, float, True),
        (1.0, int, False),
        ("a", Path, True),
        (None, float | None, True),
        ("x", float | None, False),
        ("cosine", Literal["cosine", "linear"], True),
        ("cos", Literal["cosine", "linear"], False),
        ([1, 2], tuple[int, ...], True),
        ([1, "a"], Sequence[int], False),
        ("ab", Sequence[str], False),
        ({"a": 1}, Mapping[str, int], True),
        ({"a": "b"}, Mapping[str, int], False),
        (object(), Any, True),
    ],
)
def test_fits(value: object, hint: Any, right: bool) -> None:
    assert fits(value, hint) is right


def test_wording() -> None:
    assert wording(float | None) == "a number or null"
    assert wording(Sequence[str]) == "a list"


def test_secrets_are_blanked_wherever_they_stand() -> None:
    secrets = secrets_of({"MY_TOKEN": "planted-value", "HOME": "planted-home", "SHORT_KEY": "abc"})
    assert secrets == {"planted-value"}
    told = redacted({"a": ["x planted-value y", {"b": "planted-value"}], "c": 1}, secrets)
    assert told == {"a": ["x [redacted] y", {"b": "[redacted]"}], "c": 1}
