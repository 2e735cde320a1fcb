"""A teacher in this process: any image-text-to-text model, by default the one that is going to be trained."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, ClassVar

from data_builders.respondents.local import LocalRespondent
from data_builders.teachers.base import Rewrite, TwinMaker, Workshop
from data_builders.teachers.model import ModelTeacher


@dataclass(frozen=True)
class LocalTeacher(ModelTeacher, LocalRespondent):
    """Attributes: see :class:`data_builders.teachers.model.ModelTeacher` and
    :class:`data_builders.respondents.local.LocalRespondent`."""

    group: ClassVar[str] = "teacher"

    def __post_init__(self) -> None:
        LocalRespondent.__post_init__(self)
        ModelTeacher.__post_init__(self)

    def identity(self, model: Mapping[str, Any]) -> dict[str, Any]:
        return {**LocalRespondent.identity(self, model), **self.shape()}

    def open(self, workshop: Workshop) -> AbstractContextManager[Rewrite]:
        return self.teaching(workshop, self)

    def twinning(self, workshop: Workshop) -> AbstractContextManager[TwinMaker]:
        return self.pairing(workshop, self)
