"""The training and deepspeed groups: bad values are found without torch, and every rank count sees the same steps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from hypothesis import given
from hypothesis import strategies as st

from resa.errors import ConfigError
from resa.training.spec import DeepSpeedSpec, TrainingSpec

CONF = Path(__file__).parents[3] / "conf"


@pytest.mark.parametrize(
    ("group", "name"),
    [
        ("training", "default"),
        ("training", "tiny"),
        *[("deepspeed", f"zero{n}") for n in (0, 2, 3)],
        ("objective", "sft"),
    ],
)
def test_every_choice_composes_and_is_valid(group: str, name: str) -> None:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        node = compose(overrides=[f"+{group}={name}"])[group]
    assert instantiate(node).name == name


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"language_model": "lorra"}, "Did you mean 'lora'"),
        ({"too_long": "truncate"}, "unknown too_long"),
        ({"language_model": "frozen"}, "nothing is left to train"),
        ({"learning_rate": 0}, "must be positive"),
        ({"warmup": 1.5}, r"in \[0, 1\)"),
    ],
)
def test_bad_values_are_refused(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        TrainingSpec(**settings)


def test_only_zero_3_offloads_parameters() -> None:
    with pytest.raises(ConfigError, match="only ZeRO-3"):
        DeepSpeedSpec(stage=2, offload_parameters=True)


@given(st.integers(1, 64), st.integers(1, 8), st.integers(1, 16))
def test_ranks_and_micro_batches_always_make_the_configured_batch(share: int, ranks: int, micro: int) -> None:
    spec = TrainingSpec(batch_size=share * ranks, micro_batch_size=micro)
    size, passes = spec.split(ranks)
    assert size * passes * ranks == spec.batch_size
    assert size <= micro


def test_a_batch_that_ranks_cannot_share_is_refused() -> None:
    with pytest.raises(ConfigError, match="cannot be shared equally by 3 ranks"):
        TrainingSpec(batch_size=32).split(3)


@given(st.integers(1, 50), st.integers(1, 120), st.integers(0, 5))
def test_each_pass_sees_every_row_once(rows: int, length: int, seed: int) -> None:
    from resa.training.order import FixedOrder

    places = list(FixedOrder(rows, length, seed))
    assert len(places) == length
    passes = [places[start : start + rows] for start in range(0, length, rows)]
    assert all(sorted(each) == list(range(rows)) for each in passes if len(each) == rows)
    assert places == list(FixedOrder(rows, length, seed))
