"""How a model is fine-tuned: the ``training`` and ``deepspeed`` groups of the configuration. No torch here."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from resa.errors import ConfigError, did_you_mean

LANGUAGE_MODEL = ("lora", "full", "frozen")
TOO_LONG = ("error", "drop")
SCHEDULES = ("cosine", "linear", "constant", "constant_with_warmup")
STAGES = (0, 2, 3)


@dataclass(frozen=True)
class TrainingSpec:
    """Fine-tuning of one model.

    Attributes:
        language_model: ``lora`` (an adapter on all its linear layers), ``full`` (every weight) or ``frozen``.
        train_vision_tower, train_projector: whether these move too; both stay as they are by default.
        lora_rank, lora_alpha, lora_dropout: of the adapter, where there is one.
        learning_rate, weight_decay, max_grad_norm: of AdamW.
        schedule, warmup: shape of the learning rate, and the share of all steps in which it rises.
        epochs: passes over the rows; ``max_steps``, where given, counts optimizer steps instead.
        batch_size: rows an optimizer step, over all ranks and accumulation.
        max_length: longest row, in tokens, images included. Nothing is ever truncated.
        too_long: ``error`` names the rows beyond it and stops at once; ``drop`` leaves them out and counts them.
        micro_batch_size: rows a forward pass on one rank at most; only memory and speed depend on it.
        gradient_checkpointing: recompute activations in the backward pass: less memory, a third more time.
        save_every: steps between checkpoints that a killed run resumes from; 0 for none.
        keep: how many of those stay.
        workers: processes that prepare images beside the training process; 0 for none.
        image_cache_mb: memory for prepared images, per process.
        name: of this choice.
    """

    name: str = "default"
    language_model: str = "lora"
    train_vision_tower: bool = False
    train_projector: bool = False
    lora_rank: int = 64
    lora_alpha: int = 128
    lora_dropout: float = 0.05
    learning_rate: float = 1e-4
    weight_decay: float = 1e-4
    max_grad_norm: float = 1.0
    schedule: str = "cosine"
    warmup: float = 0.05
    epochs: float = 3.0
    max_steps: int | None = None
    batch_size: int = 128
    max_length: int = 4096
    too_long: str = "error"
    micro_batch_size: int = 4
    gradient_checkpointing: bool = True
    save_every: int = 50
    keep: int = 2
    workers: int = 2
    image_cache_mb: int = 512

    def __post_init__(self) -> None:
        for name, choices in (("language_model", LANGUAGE_MODEL), ("too_long", TOO_LONG), ("schedule", SCHEDULES)):
            value = getattr(self, name)
            if value not in choices:
                raise ConfigError(
                    f"unknown {name} {value!r}. {did_you_mean(str(value), choices)}", where=f"training.{name}"
                )
        if self.language_model == "frozen" and not (self.train_vision_tower or self.train_projector):
            raise ConfigError("nothing is left to train", where="training.language_model", remedy="lora or full")
        positive = ("learning_rate", "epochs", "batch_size", "max_length", "micro_batch_size", "lora_rank", "keep")
        for name in positive:
            if not getattr(self, name) > 0:
                raise ConfigError(f"{name} must be positive, not {getattr(self, name)}", where=f"training.{name}")
        if self.max_steps is not None and self.max_steps < 1:
            raise ConfigError(f"max_steps must be positive or null, not {self.max_steps}", where="training.max_steps")
        for name in ("warmup", "lora_dropout"):
            if not 0 <= getattr(self, name) < 1:
                raise ConfigError(f"{name} must be in [0, 1), not {getattr(self, name)}", where=f"training.{name}")
        for name in ("save_every", "workers", "weight_decay", "max_grad_norm", "image_cache_mb"):
            if getattr(self, name) < 0:
                raise ConfigError(f"{name} must not be negative: {getattr(self, name)}", where=f"training.{name}")

    def content(self) -> dict[str, Any]:
        """What shapes the trained weights; the rest shapes memory and speed, and results within float tolerance."""
        speed = {
            "name",
            "micro_batch_size",
            "gradient_checkpointing",
            "save_every",
            "keep",
            "workers",
            "image_cache_mb",
        }
        values = {key: value for key, value in asdict(self).items() if key not in speed}
        if self.language_model != "lora":
            values = {key: value for key, value in values.items() if not key.startswith("lora_")}
        return values

    def steps(self, rows: int) -> int:
        """Optimizer steps over ``rows`` rows; a last, incomplete batch is filled from the next pass."""
        return self.max_steps or max(1, math.ceil(round(rows * self.epochs, 6) / self.batch_size))

    def split(self, world_size: int) -> tuple[int, int]:
        """Rows a forward pass on one rank, and forward passes a step, so that every rank count sees the same steps.

        Raises:
            ConfigError: ``batch_size`` cannot be shared equally.
        """
        share, rest = divmod(self.batch_size, world_size)
        if rest or not share:
            raise ConfigError(
                f"batch_size {self.batch_size} cannot be shared equally by {world_size} ranks",
                where="training.batch_size",
                remedy=f"use a multiple of launch.processes (x launch.nodes), e.g. {world_size * max(share, 1)}",
            )
        micro = next(size for size in range(min(share, self.micro_batch_size), 0, -1) if share % size == 0)
        return micro, share // micro


@dataclass(frozen=True)
class DeepSpeedSpec:
    """How weights and optimizer state are spread over ranks.

    Attributes:
        stage: ZeRO stage: 0 (nothing), 2 (optimizer state and gradients) or 3 (weights too).
        offload_optimizer, offload_parameters: keep these in main memory (a GPU's is too small).
        name: of this choice.
    """

    name: str = "zero2"
    stage: int = 2
    offload_optimizer: bool = False
    offload_parameters: bool = False

    def __post_init__(self) -> None:
        if self.stage not in STAGES:
            raise ConfigError(f"ZeRO stage must be one of {STAGES}, not {self.stage}", where="deepspeed.stage")
        if self.offload_parameters and self.stage != 3:
            raise ConfigError("only ZeRO-3 splits parameters", where="deepspeed.offload_parameters", remedy="stage: 3")
        if self.offload_optimizer and self.stage == 0:
            raise ConfigError("offloading needs ZeRO-2 or 3", where="deepspeed.offload_optimizer", remedy="stage: 2")

    def config(self) -> dict[str, Any]:
        """The DeepSpeed configuration; ``auto`` values are filled in from the trainer's arguments."""
        zero: dict[str, Any] = {"stage": self.stage, "overlap_comm": False, "contiguous_gradients": True}
        if self.stage == 3:
            zero |= {
                "stage3_gather_16bit_weights_on_model_save": True,
                "stage3_prefetch_bucket_size": "auto",
                "stage3_param_persistence_threshold": "auto",
                "reduce_bucket_size": "auto",
            }
        if self.offload_optimizer:
            zero["offload_optimizer"] = {"device": "cpu", "pin_memory": True}
        if self.offload_parameters:
            zero["offload_param"] = {"device": "cpu", "pin_memory": True}
        return {
            "zero_optimization": zero,
            "bf16": {"enabled": "auto"},
            "gradient_clipping": "auto",
            "train_batch_size": "auto",
            "train_micro_batch_size_per_gpu": "auto",
            "gradient_accumulation_steps": "auto",
            "zero_allow_untested_optimizer": True,
            "steps_per_print": 10**9,
        }
