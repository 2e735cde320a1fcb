"""Two ranks, one with images only and one with text only, train like one process: no hang, no crash, the same losses.

Without the companion image (resa/training/companion.py) ZeRO-2 with a moving tower and ZeRO-3 with any tower fail here
("collective mismatch" on gloo, a hang on NCCL).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.resa.training.jobs import TRAINING, finish, job, losses, start, write_rows

CASES = {
    "zero2-frozen": (2, {}),
    "zero2-tower": (2, {"train_vision_tower": True, "train_projector": True}),
    "zero3-frozen": (3, {}),
    "zero3-tower": (3, {"train_vision_tower": True, "train_projector": True}),
    "zero3-lora-checkpointing": (3, {"language_model": "lora", "gradient_checkpointing": True}),
    "zero2-accumulation": (2, {"micro_batch_size": 2, "max_steps": 20}),
}


def shifted_tower(model: Path, folder: Path) -> Path:
    """An encoder artifact: the model's own tower, every weight a little larger."""
    from safetensors.torch import save_file

    from resa.models.anatomy import anatomy
    from resa.models.load import load_model
    from resa.models.spec import ModelSpec

    loaded = load_model(ModelSpec(path=str(model)), device="cpu").model
    tower = loaded.get_submodule(anatomy(loaded).vision_tower)
    folder.mkdir()
    save_file({name: value + 0.05 for name, value in tower.state_dict().items()}, folder / "encoder.safetensors")
    return folder


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory, tiny_qwen: Path, tiny_llava: Path) -> dict[str, Any]:
    """Every case on two ranks and on one: name -> (losses on two, losses on one)."""
    from resa.training.order import FixedOrder

    folder = tmp_path_factory.mktemp("ranks")
    batch = int(TRAINING["batch_size"])
    first_rank = {row for place, row in enumerate(FixedOrder(32, 32, 0)) if place % batch < batch // 2}
    apart = write_rows(folder / "apart", 32, lambda row: row in first_rank)
    mixed = write_rows(folder / "mixed", 24, lambda row: row % 3 == 0)
    jobs = {}
    for model in (tiny_qwen, tiny_llava):
        for name, (stage, changes) in CASES.items():
            if model is tiny_llava and name not in ("zero2-tower", "zero3-frozen"):
                continue
            data = mixed if name == "zero2-accumulation" else apart
            jobs[f"{model.name}-{name}"] = (model, data, stage, changes)
    encoder = shifted_tower(tiny_qwen, folder / "encoder")
    two = [job(folder / "two" / name, model, data, stage, **c) for name, (model, data, stage, c) in jobs.items()]
    whole = {"micro_batch_size": TRAINING["batch_size"]}  # all in one forward pass: tokens, not rows, weigh the same
    one = [job(folder / "one" / name, model, data, **{**c, **whole}) for name, (model, data, _, c) in jobs.items()]
    for each in (two, one):
        place = folder / ("two" if each is two else "one") / "encoder"
        changed = job(place, tiny_qwen, apart, 3 if each is two else None, max_steps=2)
        each.append({**changed, "encoder": str(encoder)})
    jobs["encoder"] = (tiny_qwen, apart, 3, {})
    finish(start(two, folder / "two", ranks=2), folder / "two")
    finish(start(one, folder / "one"), folder / "one")
    return {name: (losses(folder / "two" / name), losses(folder / "one" / name)) for name in jobs}


@pytest.mark.parametrize("name", CASES)
def test_qwen_on_two_ranks_equals_one(runs: dict[str, Any], name: str) -> None:
    two, one = runs[f"qwen2_5_vl-{name}"]
    assert len(two) == len(one) >= 4
    assert two == pytest.approx(one, abs=1e-4)


@pytest.mark.parametrize("name", ["zero2-tower", "zero3-frozen"])
def test_llava_on_two_ranks_equals_one(runs: dict[str, Any], name: str) -> None:
    two, one = runs[f"llava-{name}"]
    assert two == pytest.approx(one, abs=1e-4)


def test_a_changed_encoder_is_in_place_before_zero_3_trains(runs: dict[str, Any]) -> None:
    two, one = runs["encoder"]
    plain, _ = runs["qwen2_5_vl-zero3-frozen"]
    assert two == pytest.approx(one, abs=1e-4)
    assert abs(two[0] - plain[0]) > 1e-4, "it shows in the loss of the first step"


def test_the_losses_move(runs: dict[str, Any]) -> None:
    """Else equality would prove nothing."""
    two, _ = runs["qwen2_5_vl-zero2-accumulation"]
    assert two[-1] < two[0] - 0.1
