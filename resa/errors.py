"""One tree of errors. Each message says what is wrong, where, and how to mend it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class ResaError(Exception):
    """Base of every error a user can mend. ``str(error)`` is a complete message.

    Args:
        what: what is wrong, one sentence.
        where: the file, sample id, key or option it concerns.
        remedy: what the user can do about it.
    """

    def __init__(self, what: str, *, where: str | None = None, remedy: str | None = None) -> None:
        self.what, self.where, self.remedy = what, where, remedy
        parts = [what]
        if where:
            parts.append(f"  where:  {where}")
        if remedy:
            parts.append(f"  remedy: {remedy}")
        super().__init__("\n".join(parts))


class ConfigError(ResaError):
    """A mistake in the configuration, found before any model is loaded."""


class ConfigErrors(ConfigError):
    """Several configuration mistakes, reported together."""

    def __init__(self, errors: Iterable[ConfigError]) -> None:
        self.errors = tuple(errors)
        count = len(self.errors)
        listing = "\n".join(f"{i}. {error}" for i, error in enumerate(self.errors, 1))
        super().__init__(f"{count} configuration mistake{'s' if count != 1 else ''}:\n{listing}")


class DataError(ResaError):
    """A dataset, record or image that is missing, malformed or unreadable."""


class ArtifactError(ResaError):
    """An artifact that cannot be written, read, locked or trusted."""


class ModelError(ResaError):
    """A model, adapter or encoder that cannot be loaded or does not fit."""


class TrainingError(ResaError):
    """A fine-tuning run that cannot start or continue."""


class EngineError(ResaError):
    """A generation engine that cannot answer."""


class JudgeError(ResaError):
    """A judge that cannot judge."""


class LaunchError(ResaError):
    """A process or job that could not be started, or that failed."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """``Did you mean 'fare'? Available: coca, fare, none.`` for a misspelt choice."""
    choices = sorted(known)
    close = difflib.get_close_matches(word, choices, n=1, cutoff=0.5)
    hint = f"Did you mean '{close[0]}'? " if close else ""
    return f"{hint}Available: {', '.join(choices) if choices else '(none)'}."
