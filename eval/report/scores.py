"""Reading a score tree: every mapping with a ``value`` is a score, found by its path, whatever the tree around it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from resa.errors import ArtifactError
from resa.types import Score

KeyPath = tuple[str, ...]
FIELDS = ("value", "low", "high", "n", "reason")


def is_score(node: Any) -> bool:
    return isinstance(node, Mapping) and "value" in node and "n" in node


def walk(node: Any, path: KeyPath = ()) -> Iterator[tuple[KeyPath, Mapping[str, Any]]]:
    """Every score below ``node`` with its path, in the tree's order. A score may hold further ones (its parts)."""
    if not isinstance(node, Mapping):
        return
    if is_score(node):
        yield path, node
    for key, child in node.items():
        yield from walk(child, (*path, str(key)))


def node_at(tree: Any, path: KeyPath) -> Any:
    """What stands at a path, or None."""
    for key in path:
        if not isinstance(tree, Mapping) or key not in tree:
            return None
        tree = tree[key]
    return tree


def score_at(tree: Any, *path: str) -> Score | None:
    """The score at a path; None where there is no such node.

    Raises:
        ArtifactError: a node is there and is not a score.
    """
    node = node_at(tree, path)
    return None if node is None else as_score(node, ".".join(path))


def as_score(node: Any, where: str) -> Score:
    """A score from its JSON.

    Raises:
        ArtifactError: it is not one, or has neither a value nor a reason.
    """
    if not is_score(node):
        raise ArtifactError("not a score", where=where, remedy='a score is {"value", "low", "high", "n"}')
    score = Score.from_json({name: node[name] for name in FIELDS if name in node})
    if score.value is None and not score.reason:
        raise ArtifactError("a score without a value must say why", where=where, remedy='give it a "reason"')
    return score


def tidy(node: Any, path: KeyPath = ()) -> Any:
    """The same tree with each score as ``{"value", "low", "high", "n"}``, plus ``reason`` where there is no value, plus
    whatever else it held; figures rounded to 4 decimals.

    Raises:
        ArtifactError: a score has neither a value nor a reason.
    """
    if not isinstance(node, Mapping):
        return node
    if not is_score(node):
        return {str(key): tidy(child, (*path, str(key))) for key, child in node.items()}
    score = as_score(node, ".".join(path))
    plain: dict[str, Any] = {
        "value": _rounded(score.value),
        "low": _rounded(score.low),
        "high": _rounded(score.high),
        "n": score.n,
    }
    if score.value is None or score.reason:
        plain["reason"] = score.reason
    rest = {str(key): tidy(child, (*path, str(key))) for key, child in node.items() if key not in FIELDS}
    return {**plain, **rest}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(float(value), 4)
