"""A teacher in this process: any image-text-to-text model, by default the one that is going to be trained."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from data_builders.policies import DEFAULT, load_policies, policy_file
from data_builders.rows import Row
from data_builders.teachers.asking import Reply, brief_digest
from data_builders.teachers.base import Answers, Drafts, Rewrite, Workshop
from data_builders.teachers.log import Question, ReplyLog, rewrite_with
from resa.artifacts import file_digest
from resa.errors import ConfigError
from resa.models.spec import ModelSpec


@dataclass(frozen=True)
class LocalTeacher:
    """Attributes:
    model: its path (a hub id, a folder or ``builtin:NAME``); None: the model that is going to be trained.
    max_new_tokens: of a reply; words: asked for in a thought, at most; batch_size: rows at a time (memory only).
    """

    model: str | None = None
    name: str = "local"
    policies: str = DEFAULT
    max_new_tokens: int = 512
    words: int = 150
    batch_size: int = 16

    def __post_init__(self) -> None:
        if self.max_new_tokens < 1 or self.batch_size < 1 or self.words < 10:
            raise ConfigError("max_new_tokens and batch_size must be at least 1, words at least 10", where="teacher")
        policy_file(self.policies)

    def spec(self, model: Mapping[str, Any]) -> ModelSpec:
        return ModelSpec(self.model, name="teacher", plain=True) if self.model else ModelSpec.from_config(model)

    def identity(self, model: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "name": self.name,
            "model": self.spec(model).key(),
            "max_new_tokens": self.max_new_tokens,
            "words": self.words,
            "policies": file_digest(policy_file(self.policies)),
            "brief": brief_digest(),
        }

    def needs(self) -> tuple[str, ...]:
        return ()

    def can(self, answers: Answers) -> bool:
        return True

    @contextmanager
    def open(self, workshop: Workshop) -> Iterator[Rewrite]:
        log = ReplyLog(workshop.drafts, self.name, self.identity(workshop.model))
        policies = load_policies(self.policies)

        def rewrite(rows: Iterable[Row]) -> Drafts:
            def ask(questions: Sequence[Question]) -> Mapping[str, Reply]:
                self._ask(questions, log, self.spec(workshop.model), workshop.progress)
                return {}

            return rewrite_with(rows, log, policies, workshop.answers, self.words, ask)

        yield rewrite

    def _ask(self, questions: Sequence[Question], log: ReplyLog, spec: ModelSpec, progress: bool) -> None:
        """Answer greedily, in batches of like length; the model is freed afterwards."""
        import torch

        from data_builders.progress import track
        from resa.images import read_rgb
        from resa.models.chat import prompt_inputs
        from resa.models.load import load_model

        loaded = load_model(spec)
        model, processor = loaded.model.eval(), loaded.processor
        order = sorted(questions, key=lambda q: (len(q.row.images), len(q.turns[0].text), q.key))
        with track(f"teacher {spec.path}", len(order), progress) as advance, torch.inference_mode():
            for start in range(0, len(order), self.batch_size):
                batch = order[start : start + self.batch_size]
                inputs = prompt_inputs(processor, [q.turns for q in batch], read_rgb).to(model.device)
                told = {"max_new_tokens": self.max_new_tokens, "do_sample": False, **spec.generation}
                out = model.generate(**inputs, **told)[:, inputs["input_ids"].shape[1] :]
                texts = processor.batch_decode(out, skip_special_tokens=True)
                ends = set(_as_list(model.generation_config.eos_token_id))
                said = zip(batch, out.tolist(), texts, strict=True)
                log.add({q.key: Reply(text, cut=bool(ends) and not ends & set(ids)) for q, ids, text in said})
                for _ in batch:
                    advance()


def _as_list(value: int | list[int] | None) -> list[int]:
    return [] if value is None else [value] if isinstance(value, int) else list(value)
