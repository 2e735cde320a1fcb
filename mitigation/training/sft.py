"""Supervised fine-tuning: the negative log-likelihood of the completion, given prompt and images.

L = -sum_t log p(y_t | x, images, y_<t) over completion tokens, divided by their number in the whole batch. This is the
objective of VLGuard (2402.02207) and of RESA (2508.15370); ``dft`` weighs each token by its own probability
(2508.05629).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from resa.errors import ConfigError, did_you_mean
from resa.training.objective import Parts, Prepared, Source

if TYPE_CHECKING:
    from transformers import Trainer, TrainingArguments

LOSSES = ("nll", "dft")


@dataclass(frozen=True)
class SFT:
    """Attributes:
    loss: ``nll``, or ``dft``; name: of this choice.
    """

    name: str = "sft"
    loss: str = "nll"

    def __post_init__(self) -> None:
        if self.loss not in LOSSES:
            raise ConfigError(f"unknown loss {self.loss!r}. {did_you_mean(self.loss, LOSSES)}", where="objective.loss")

    def prepare(self, source: Source) -> Prepared:
        from resa.training.collate import check_images_apart
        from resa.training.encode import Encoder, encode_rows, fit_lengths

        encoder = Encoder(source.processor, source.end_ids)
        rows = encode_rows(source.dataset, source.work / "encoded", encoder, source.key)
        shown = next((files[0] for files in rows["images"] if len(files)), None)
        if shown is not None:
            check_images_apart(source.processor, shown)
        return Prepared(*fit_lengths(rows, source.spec.max_length, source.spec.too_long))

    def arguments(self, common: Mapping[str, Any]) -> TrainingArguments:
        from trl import SFTConfig

        # Rows come encoded and are never truncated.
        return SFTConfig(**common, loss_type=self.loss, max_length=None, dataset_kwargs={"skip_prepare_dataset": True})

    def trainer(self, arguments: TrainingArguments, parts: Parts) -> Trainer:
        from resa.training.trainer import SupervisedTrainer

        return SupervisedTrainer.build(arguments, parts)
