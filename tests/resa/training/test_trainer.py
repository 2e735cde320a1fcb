"""The loss computed on a CPU is TRL's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from resa.training.spec import TrainingSpec
from tests.resa.training.jobs import write_rows

GRADIENTS_DIFFER = 1e-4
"""At most so much, relative to the norm of TRL's: machines and threads take the sums in another order."""


@pytest.mark.parametrize("kind", ["nll", "dft"])
@pytest.mark.parametrize("name", ["tiny_qwen", "tiny_llava"])
def test_loss_and_gradients_equal_those_of_trl(
    name: str, kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    import torch
    from trl import SFTTrainer

    from mitigation.training.sft import SFT
    from resa.models.load import load_processor
    from resa.models.spec import ModelSpec
    from resa.training.objective import Parts, Source
    from resa.training.run import _trainable_model, end_ids
    from resa.training.trainer import common_arguments

    base = ModelSpec(path=str(request.getfixturevalue(name)))
    spec = TrainingSpec(lora_rank=4, lora_dropout=0.0, batch_size=4, workers=0, gradient_checkpointing=False)
    data = write_rows(tmp_path / "data", 4, lambda number: number % 2 == 0)
    processor, objective = load_processor(base), SFT(loss=kind)
    prepared = objective.prepare(Source(data, tmp_path / "work", processor, end_ids(base), spec, "k"))
    settings = common_arguments(spec, tmp_path / "states", steps=1, seed=0, deepspeed=None)
    model = _trainable_model(base, None, spec, sharded=False)
    trainer = objective.trainer(objective.arguments(settings), Parts(model, processor, prepared, spec, 0))
    batch = dict(trainer.data_collator([prepared.rows[number] for number in range(4)]))
    moving = [parameter for parameter in model.parameters() if parameter.requires_grad]
    for parameter in moving:
        torch.nn.init.normal_(parameter, std=0.2)

    def step(compute: object) -> tuple[float, list[torch.Tensor]]:
        model.zero_grad()
        loss = compute(model, dict(batch), num_items_in_batch=torch.tensor(30))  # type: ignore[operator]
        loss.backward()
        return loss.item(), [parameter.grad.clone() for parameter in moving]

    ours, theirs = step(trainer.compute_loss), step(lambda *a, **k: SFTTrainer.compute_loss(trainer, *a, **k))
    assert trainer._keeps_logits
    assert ours[0] == pytest.approx(theirs[0], rel=1e-5)
    mine, other = (torch.cat([gradient.flatten() for gradient in gradients]) for _, gradients in (ours, theirs))
    assert torch.linalg.vector_norm(mine - other) <= GRADIENTS_DIFFER * torch.linalg.vector_norm(other)
    assert other.any()
