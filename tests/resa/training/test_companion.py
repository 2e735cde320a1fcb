"""The companion image runs the tower and changes neither the loss nor any gradient."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.mark.parametrize("name", ["tiny_qwen", "tiny_llava"])
def test_loss_and_gradients_are_unchanged_and_the_tower_has_zero_ones(
    name: str, request: pytest.FixtureRequest
) -> None:
    import torch

    from resa.models.anatomy import anatomy
    from resa.models.load import load_model
    from resa.models.spec import ModelSpec
    from resa.training.companion import Companion
    from resa.training.encode import IGNORED

    folder: Path = request.getfixturevalue(name)
    loaded = load_model(ModelSpec(path=str(folder)), device="cpu", for_training=True)
    model, processor = loaded.model, loaded.processor
    processor.tokenizer.padding_side = "right"
    batch = dict(processor.tokenizer(["what is a fox?", "yes"], padding=True, return_tensors="pt"))
    batch.pop("token_type_ids", None)
    batch["labels"] = batch["input_ids"].masked_fill(batch["attention_mask"] == 0, IGNORED)

    def step(inputs: dict[str, torch.Tensor]) -> tuple[float, dict[str, torch.Tensor | None]]:
        model.zero_grad(set_to_none=True)
        loss = model(**inputs, use_cache=False).loss
        loss.backward()
        return loss.item(), {name: parameter.grad for name, parameter in model.named_parameters()}

    alone, gradients = step(batch)
    joined = Companion.of(processor).join(batch)
    assert joined["input_ids"].shape[1] > batch["input_ids"].shape[1]
    together, others = step(joined)
    assert together == pytest.approx(alone, abs=1e-6)
    tower = anatomy(model).vision_tower
    seen = 0
    for parameter, gradient in gradients.items():
        if gradient is not None:
            assert torch.allclose(others[parameter], gradient, atol=1e-6), parameter
        elif parameter.startswith(tower) and others[parameter] is not None:
            seen += 1
            assert not others[parameter].any(), parameter
    assert seen > 5, "the tower was not run"
