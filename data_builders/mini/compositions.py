"""What keeps training and evaluation apart: a composition belongs to one side, by its own hash.

A composition is everything that makes an item what it is: the thing, its look, the way of asking, the task. Image items
are split by what is drawn and how (so no evaluation picture was ever a training picture); text items by what is asked
about and in which words. No list is kept: any writer asks :func:`side_of` and draws again where the answer is the other
side, so two worlds of different seeds never leak into each other either.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Literal, TypeVar

Side = Literal["train", "eval"]
Drawn = TypeVar("Drawn")
EVAL_SHARE = 4
"""One composition in so many belongs to the evaluation."""


def side_of(composition: str) -> Side:
    """``eval`` for one composition in four, by SHA-256."""
    return "eval" if int(hashlib.sha256(composition.encode()).hexdigest(), 16) % EVAL_SHARE == 0 else "train"


def draw_until(side: Side, draw: Callable[[], Drawn], composition: Callable[[Drawn], str], tries: int = 2000) -> Drawn:
    """Draw until the composition lies on ``side``.

    Raises:
        ValueError: none of ``tries`` draws did; the space drawn from has nothing on that side.
    """
    for _ in range(tries):
        drawn = draw()
        if side_of(composition(drawn)) == side:
            return drawn
    raise ValueError(f"no {side} composition among {tries} draws; widen what is drawn from")
