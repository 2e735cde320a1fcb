"""A teacher behind any OpenAI-compatible endpoint. It is sent the image itself, not a caption of it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, ClassVar

from data_builders.respondents.endpoint import EndpointRespondent
from data_builders.teachers.base import Rewrite, TwinMaker, Workshop
from data_builders.teachers.model import ModelTeacher


@dataclass(frozen=True)
class OpenAITeacher(ModelTeacher, EndpointRespondent):
    """Attributes: see :class:`data_builders.teachers.model.ModelTeacher`,
    :class:`data_builders.respondents.endpoint.EndpointRespondent` and :class:`resa.endpoint.Endpoint`."""

    group: ClassVar[str] = "teacher"

    temperature: float | None = 0.6

    def __post_init__(self) -> None:
        EndpointRespondent.__post_init__(self)
        ModelTeacher.__post_init__(self)

    def identity(self, model: Mapping[str, Any]) -> dict[str, Any]:
        return {**EndpointRespondent.identity(self, model), **self.shape()}

    def open(self, workshop: Workshop) -> AbstractContextManager[Rewrite]:
        return self.teaching(workshop, self)

    def twinning(self, workshop: Workshop) -> AbstractContextManager[TwinMaker]:
        return self.pairing(workshop, self)
