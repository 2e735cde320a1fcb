"""A small learned recogniser of kinds of sentences: what a list of phrases cannot know, since there is no end of them.

Four logistic regressions over the words, pairs and triples of words of a text (hashed; presence, not counts). They were
trained on the sentences of ``sentences/``, invented for this purpose, by ``python -m data_builders.recogniser.train``.
"""

from __future__ import annotations

import hashlib
import math
import re
import zlib
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from data_builders.prose import plain
from resa.errors import DataError

WEIGHTS = Path(__file__).parent / "weights.safetensors"
KINDS = ("leak", "refusal", "decides_to_refuse", "decides_to_answer")
SIZE = 2**17
"""Features; a power of two."""
LEAST = 2
"""Words below which a text says nothing."""
TOKEN = re.compile(r"[\w']+|[.,:;!?]")


@lru_cache(maxsize=64)  # one sentence is asked about for several kinds, one after the other
def features(text: str) -> list[int]:
    """The distinct features of a text, ascending, each below :data:`SIZE`; none of fewer words than :data:`LEAST`."""
    tokens = [token.encode("utf-8", "replace") for token in TOKEN.findall(plain(text))]
    if sum(token[0] > 64 for token in tokens) < LEAST:  # neither a sign nor a number
        return []
    runs = [
        *tokens,
        *map(b" ".join, pairwise(tokens)),
        *map(b" ".join, zip(tokens, tokens[1:], tokens[2:], strict=False)),
    ]
    return sorted({zlib.crc32(run) % SIZE for run in runs})


@dataclass(frozen=True)
class Recogniser:
    """Attributes:
    weights: kind -> one number a feature; bias: kind -> a number.
    """

    weights: dict[str, Any]
    bias: dict[str, float]

    def sure(self, kind: str, text: str) -> float:
        """How sure it is that a text (a sentence; of a refusal its first few) is of a kind: 0 to 1, not calibrated."""
        found = features(text)
        if not found:
            return 0.0
        score = float(self.weights[kind][found].sum(dtype="float32")) / math.sqrt(len(found)) + self.bias[kind]
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, score))))


@cache
def trained() -> Recogniser:
    """The recogniser that comes with the project."""
    return load(WEIGHTS)


def fingerprint() -> str:
    """Of the weights that come with the project; part of every dataset's key, since they shape its rows."""
    return hashlib.sha256(WEIGHTS.read_bytes()).hexdigest()[:16]


def load(file: Path) -> Recogniser:
    """Raises:
    DataError: the weights are missing, or are not a recogniser's.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        stored = load_file(file)
        if set(stored) != {*KINDS, "bias"} or any(stored[kind].shape != (SIZE,) for kind in KINDS):
            raise DataError(f"other tensors than {', '.join(KINDS)} of {SIZE} numbers, and bias")
    except (OSError, SafetensorError, DataError) as error:
        raise DataError(
            f"no weights of a recogniser: {error}", where=str(file), remedy="python -m data_builders.recogniser.train"
        ) from error
    return Recogniser({kind: stored[kind] for kind in KINDS}, dict(zip(KINDS, map(float, stored["bias"]), strict=True)))
