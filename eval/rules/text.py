"""How the strict readings prepare a text."""

from __future__ import annotations

import re

APOSTROPHES = str.maketrans({"’": "'", "‘": "'", "ʼ": "'", "´": "'", "`": "'", "“": '"', "”": '"', "\u200b": ""})
SPACES = re.compile(r"\s+")
WORD = re.compile(r"[a-z0-9]+(?:'[a-z]+)?")


def plain(text: str) -> str:
    """Lower case, plain apostrophes, single spaces, no mark-up asterisks."""
    return SPACES.sub(" ", text.translate(APOSTROPHES).replace("*", "").lower()).strip()


def words(text: str) -> list[str]:
    """The words of a text, lower-cased."""
    return WORD.findall(plain(text))


def has_words(text: str, phrase: str) -> bool:
    """Whether the words of ``phrase`` occur in ``text``, whole and in a row. An empty phrase never does."""
    wanted = words(phrase)
    return bool(wanted) and f" {' '.join(wanted)} " in f" {' '.join(words(text))} "
