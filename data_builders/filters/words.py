"""Words as contamination checks compare them: lower case, without punctuation."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator

WORD = re.compile(r"\w+", re.UNICODE)


def words_of(text: str) -> list[str]:
    """The words of a text, in order."""
    return WORD.findall(text.lower())


def prompt_key(text: str) -> str:
    """Equal for texts that differ in case, punctuation and spacing alone; a text of signs alone stands for itself."""
    return " ".join(words_of(text)) or text.strip()


def grams(text: str, size: int) -> Iterator[int]:
    """64-bit fingerprints of each run of ``size`` words."""
    words = words_of(text)
    for start in range(len(words) - size + 1):
        run = " ".join(words[start : start + size])
        yield int.from_bytes(hashlib.blake2b(run.encode(), digest_size=8).digest())
