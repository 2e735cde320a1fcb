"""A respondent in this process: any image-text-to-text model, by default the one that is going to be trained."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, ClassVar

from data_builders.respondents.base import Keep, Question, Reply, Session
from resa.artifacts import digest
from resa.errors import ConfigError
from resa.models.spec import ModelSpec

SORTED_BATCHES = 64
"""Batches' worth of questions that are sorted by length together, so that a batch holds questions of like length."""


@dataclass(frozen=True)
class LocalRespondent:
    """Attributes:
    model: its path (a hub id, a folder or ``builtin:NAME``); None: the model that is going to be trained.
    max_new_tokens: of a reply; batch_size: questions at a time (memory only).
    temperature: 0 is greedy; above, replies are drawn with seeds made of the questions of a batch.
    text_only: whether the model is a language model that reads text alone (guards, often).
    """

    group: ClassVar[str] = "respondent"

    model: str | None = None
    name: str = "local"
    max_new_tokens: int = 512
    batch_size: int = 16
    temperature: float = 0.0
    text_only: bool = False

    def __post_init__(self) -> None:
        if self.max_new_tokens < 1 or self.batch_size < 1 or self.temperature < 0:
            raise ConfigError(
                "max_new_tokens and batch_size must be at least 1, temperature not negative", where=self.group
            )

    def spec(self, model: Mapping[str, Any]) -> ModelSpec:
        if self.model is None:
            return ModelSpec.from_config(model)
        return ModelSpec(self.model, name=self.group, plain=True, text_only=self.text_only)

    def identity(self, model: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "name": self.name,
            "model": self.spec(model).key(),
            "max_new_tokens": self.max_new_tokens,
            "temperature": self.temperature,
        }

    def respond(self, questions: Iterable[Question], total: int, keep: Keep, session: Session) -> Mapping[str, Reply]:
        """Answer in batches of like length; the model is freed afterwards."""
        import torch

        from data_builders.progress import track
        from resa.models.load import load_model

        spec = self.spec(session.model)
        loaded = load_model(spec)
        loaded.model.eval()
        with track(session.label, total, session.progress) as advance, torch.inference_mode():
            for batch in self._batches(questions):
                keep(self._answers(loaded, batch, spec))
                for _ in batch:
                    advance()
        return {}

    def _batches(self, questions: Iterable[Question]) -> Iterator[Sequence[Question]]:
        waiting = iter(questions)
        while window := list(islice(waiting, SORTED_BATCHES * self.batch_size)):
            window.sort(key=lambda q: (*_size(q), q.key))
            for start in range(0, len(window), self.batch_size):
                yield window[start : start + self.batch_size]

    def _answers(self, loaded: Any, batch: Sequence[Question], spec: ModelSpec) -> Mapping[str, Reply]:
        import torch

        from resa.images import read_rgb
        from resa.models.chat import prompt_inputs

        model, processor = loaded.model, loaded.processor
        inputs = prompt_inputs(processor, [q.turns for q in batch], read_rgb).to(model.device)
        told: dict[str, Any] = {"max_new_tokens": self.max_new_tokens, "do_sample": False, **spec.generation}
        if self.temperature > 0:
            torch.manual_seed(int(digest([q.key for q in batch])[:15], 16))
            told |= {"do_sample": True, "temperature": self.temperature}
        out = model.generate(**inputs, **told)[:, inputs["input_ids"].shape[1] :]
        texts = processor.batch_decode(out, skip_special_tokens=True)
        ends = set(_as_list(model.generation_config.eos_token_id))
        said = zip(batch, out.tolist(), texts, strict=True)
        return {q.key: Reply(text, cut=bool(ends) and not ends & set(ids)) for q, ids, text in said}


def _size(question: Question) -> tuple[int, int]:
    """Images and characters."""
    return sum(len(turn.images) for turn in question.turns), sum(len(turn.text) for turn in question.turns)


def _as_list(value: int | list[int] | None) -> list[int]:
    return [] if value is None else [value] if isinstance(value, int) else list(value)
