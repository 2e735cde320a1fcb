"""Thought and answer must be in a wanted language: a teacher that slips into another one teaches the student to slip.

Judged with py3langid (naive Bayes over byte n-grams, 139 languages, 4.5 MB, offline; BSD, a fork of langid.py: Lui and
Baldwin, ACL 2012), sentence by sentence, so that a stated verdict in English does not hide a thought in Spanish. What
is too short to tell ("Yes.", a name, a number, code) says nothing, and quotations are not the writer's own words.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from data_builders.filters.base import Check, Place, Plain, Surroundings
from data_builders.rows import Row
from resa.errors import ConfigError, did_you_mean

ASIDE = re.compile(r"```.*?(?:```|$)|`[^`\n]*`|\"[^\"\n]*\"|“[^”\n]*”|«[^»\n]*»|https?://\S+", re.DOTALL)
"""Code, quotations and addresses."""
SENTENCE = re.compile(r"[^.!?。！？।؟\n]+[.!?。！？।؟]*")
WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
FOREIGN_LETTER = re.compile(r"[^\W\d_\u0041-\u024f\u1e00-\u1eff]")
"""A letter of another script than the Latin one."""
ENGLISH = frozenset((
    "the", "and", "that", "this", "it's", "is", "are", "was", "were", "be", "been", "with", "for", "from",
    "not", "you", "your", "what", "which", "who", "how", "why", "should", "would", "could", "can", "cannot",
    "of", "to", "they", "their", "there", "these", "those", "when", "where", "because", "but", "have", "has",
    "does", "do", "any", "other",
))  # fmt: skip
"""Where every fifth word is one of these, a sentence is English, and the library need not be asked (which takes a
microsecond a letter)."""
NO_OTHER = frozenset(("pcm", "zxx"))
"""Labels of the library that are no evidence: Nigerian Pidgin, which it takes terse English for; no language at all."""
Identify = Callable[[str], tuple[str, float]]


@dataclass(frozen=True)
class LanguageFilter(Plain):
    """Attributes:
    languages: wanted ones, ISO 639-1.
    least: words that a judged piece must have, or as many letters of another script than the Latin one.
    sure: probability from which a piece in Latin letters counts as being in another language.
    tolerated: share of a part that may be in other languages, in bytes of letters (an ideograph says more than a
        letter).
    """

    place: ClassVar[Place | None] = Place.WORDS

    name: str = "language"
    languages: Sequence[str] = ("en",)
    least: int = 6
    sure: float = 0.6
    tolerated: float = 0.3

    def __post_init__(self) -> None:
        if not self.languages or self.least < 1:
            raise ConfigError("name at least one language, and at least one word", where="filters.language")
        for name in ("sure", "tolerated"):
            if not 0 <= getattr(self, name) < 1:
                raise ConfigError(f"{name} must be at least 0 and below 1", where=f"filters.language.{name}")

    def open(self, surroundings: Surroundings) -> Check:
        """Raises:
        ConfigError: a language that the library does not know.
        """
        identify = _identifier(self.languages)

        def check(row: Row) -> str | None:
            parts = [("thought", row.thought or "")] if row.thinks else []
            for part, text in (*parts, ("answer", row.answer)):
                other = self._other(text, identify)
                if other:
                    return f"another language in the {part}: {other}"
            return None

        return check

    def _other(self, text: str, identify: Identify) -> str | None:
        """The language that takes most of a text besides the wanted ones, where they take more than is tolerated."""
        weights: dict[str, int] = {}
        own = ASIDE.sub(" ", text)
        for piece in _pieces(own, self.least):
            language = self._language(piece, identify)
            if language is not None:
                weights[language] = weights.get(language, 0) + _weight(piece)
        if sum(weights.values()) <= self.tolerated * _weight(own):
            return None
        return max(weights, key=lambda language: weights[language], default=None)

    def _language(self, piece: str, identify: Identify) -> str | None:
        """The language of a piece, if it surely is not a wanted one."""
        words = [word.lower() for word in WORD.findall(piece)]
        if "en" in self.languages and 5 * sum(word in ENGLISH for word in words) >= len(words):
            return None
        language, probability = identify(piece)
        if language in self.languages or language in NO_OTHER:
            return None
        foreign = 2 * len(FOREIGN_LETTER.findall(piece)) > sum(map(len, words))
        return language if foreign or probability >= self.sure else None


def _weight(text: str) -> int:
    return sum(len(word.encode("utf-8", "surrogatepass")) for word in WORD.findall(text))


def _pieces(text: str, least: int) -> Iterator[str]:
    """A text's sentences, short ones joined to the next; not what stays shorter than ``least``."""
    piece = ""
    for sentence in SENTENCE.findall(text):
        piece += sentence
        if len(WORD.findall(piece)) >= least or len(FOREIGN_LETTER.findall(piece)) >= least:
            yield piece
            piece = ""


def _identifier(languages: Sequence[str]) -> Identify:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    found = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    for language in languages:
        if language not in found.labels:
            raise ConfigError(
                f"unknown language {language!r}. {did_you_mean(language, found.labels)}",
                where="filters.language.languages",
                remedy="ISO 639-1 codes, as en or de",
            )
    identify: Identify = found.classify
    return identify
