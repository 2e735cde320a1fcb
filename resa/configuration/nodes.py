"""Each node that names a ``_target_``, against that dataclass: its keys, their types, then its own checks."""

from __future__ import annotations

import collections.abc
import dataclasses
import difflib
import importlib
import types
import typing
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from resa.errors import ConfigError, ConfigErrors, ResaError, did_you_mean

TARGET = "_target_"
MOST_RETRIES = 20


@dataclass
class Built:
    """What came of a configuration's nodes.

    Attributes:
        components: dotted path -> the object (``method.encoder``, ``training`` ...), of the nodes that are right.
        mistakes: in those that are not.
    """

    components: dict[str, Any] = field(default_factory=dict)
    mistakes: list[ConfigError] = field(default_factory=list)


def build(config: Mapping[str, Any], missing: Collection[str] = ()) -> Built:
    """Build every component of a resolved configuration, to see that it can be built.

    Args:
        missing: dotted paths of values that are not given: what they stand in is checked, but cannot be built.
    """
    built = Built()
    for node, path in _nodes_in(config, ""):
        path = path.lstrip(".")
        found = list(_mistakes(node, path))
        built.mistakes.extend(mistake for mistake, _, _ in found)
        wrong = {(where, key) for _, where, key in found}
        if any(key.startswith(f"{path}.") for key in missing):
            continue
        component = _instantiate(_without(node, wrong, path), path, built.mistakes)
        if component is not None and not wrong:
            built.components[path] = component
    return built


Mistake = tuple[ConfigError, str, str]
"""The error, the path of the node it is in, and the key at fault."""


def _mistakes(node: Mapping[str, Any], path: str) -> Iterator[Mistake]:
    """Unknown keys and wrong types in a node and in those inside it."""
    cls = _class_of(node, path)
    if isinstance(cls, ConfigError):
        yield cls, path, TARGET
        return
    known = {item.name for item in dataclasses.fields(cls) if item.init} if dataclasses.is_dataclass(cls) else None
    hints = _hints(cls)
    for key, value in node.items():
        if key.startswith("_"):
            continue
        where = f"{path}.{key}"
        if known is not None and key not in known:
            yield ConfigError(f"unknown key {key!r} in {path!r}. {did_you_mean(key, known)}", where=where), path, key
        elif not _has_targets(value) and key in hints and not fits(value, hints[key]):
            what = f"must be {wording(hints[key])}, not {value!r}"
            quoted = f"{where}='\"{value}\"'" if wording(hints[key]).startswith("text") else None
            yield ConfigError(what, where=where, remedy=quoted), path, key
        else:
            for inner, inside in _nodes_in(value, where):
                yield from _mistakes(inner, inside)


def _nodes_in(value: Any, path: str) -> Iterator[tuple[Mapping[str, Any], str]]:
    """The outermost nodes with a ``_target_`` in a value, and their paths."""
    if isinstance(value, Mapping):
        if TARGET in value:
            yield value, path
        else:
            for key, item in value.items():
                yield from _nodes_in(item, f"{path}.{key}")
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _nodes_in(item, f"{path}[{number}]")


def _class_of(node: Mapping[str, Any], path: str) -> Any:
    """The target, or the error that it is not there."""
    target = str(node[TARGET])
    module_name, _, name = target.rpartition(".")
    where = f"{path}.{TARGET}={target}"
    try:
        found = getattr(importlib.import_module(module_name), name, None)
    except (ImportError, ValueError) as error:
        return ConfigError(f"cannot be imported: {error}", where=where, remedy="correct the dotted path of the class")
    if found is None:
        near = difflib.get_close_matches(name, dir(importlib.import_module(module_name)), n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        return ConfigError(f"{module_name} has no {name!r}.{hint}", where=where)
    return found


def _hints(cls: Any) -> dict[str, Any]:
    """The annotations of a dataclass; empty where they name what is only imported for type checking."""
    try:
        return typing.get_type_hints(cls) if dataclasses.is_dataclass(cls) else {}
    except NameError:
        return {}


def _has_targets(value: Any) -> bool:
    """Whether components stand inside a value: what they become is not known before they are built."""
    return next(_nodes_in(value, ""), None) is not None


def fits(value: Any, hint: Any) -> bool:
    """Whether a JSON value can stand where a dataclass is annotated so. Integers are good floats, lists good tuples."""
    origin, parts = get_origin(hint), get_args(hint)
    if hint is Any or isinstance(hint, typing.TypeVar):
        return True
    if hint is None or hint is type(None):
        return value is None
    if origin in (Union, types.UnionType):
        return any(fits(value, part) for part in parts)
    if origin is Literal:
        return value in parts
    plain = origin or hint
    if plain is bool:
        return isinstance(value, bool)
    if plain in (int, float):
        return isinstance(value, (int, float) if plain is float else int) and not isinstance(value, bool)
    if plain in (str, Path):
        return isinstance(value, str)
    if plain in (dict, Mapping, collections.abc.MutableMapping):
        return isinstance(value, Mapping) and (len(parts) < 2 or all(fits(item, parts[1]) for item in value.values()))
    if plain in (list, tuple, set, frozenset, collections.abc.Sequence, collections.abc.Iterable):
        item = parts[0] if parts and (plain is not tuple or parts[-1] is Ellipsis) else Any
        return isinstance(value, list) and all(fits(each, item) for each in value)
    return True


def wording(hint: Any) -> str:
    """``a number or null`` for ``float | None``."""
    origin, parts = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return " or ".join(wording(part) for part in parts)
    if origin is Literal:
        return "one of " + ", ".join(map(str, parts))
    words = {bool: "true or false", int: "a whole number", float: "a number", str: "text", Path: "text (a path)"}
    words |= {type(None): "null", list: "a list", tuple: "a list", dict: "a mapping"}
    words |= {collections.abc.Sequence: "a list", collections.abc.Mapping: "a mapping"}
    return words.get(origin or hint, str(hint))


def _without(node: Mapping[str, Any], wrong: set[tuple[str, str]], path: str) -> dict[str, Any]:
    """The node without the keys at fault, so that its other mistakes are seen too."""
    kept: dict[str, Any] = {}
    for key, value in node.items():
        if (path, key) in wrong:
            continue
        kept[key] = _without(value, wrong, f"{path}.{key}") if isinstance(value, Mapping) else value
    return kept


def _instantiate(node: dict[str, Any], path: str, mistakes: list[ConfigError]) -> Any:
    """The object, or None and its mistakes. A mistake that names a key of the node is noted, the key left out and the
    rest tried again: dataclasses stop at their first."""
    from hydra.errors import HydraException
    from hydra.utils import instantiate

    if TARGET not in node:
        return None
    found_any = False
    for _ in range(MOST_RETRIES):
        try:
            component = instantiate(node, _convert_="all")
            return None if found_any else component
        except HydraException as error:
            found = cause_of(error)
        if found is None:
            return None
        if not (found_any and isinstance(found, ConfigError) and not found.where):
            _note(found, path, mistakes)
        found_any = True
        key = (found.where or "").split("=")[0].rsplit(".", 1)[-1]
        if key not in node or key == TARGET:
            return None
        node = {name: value for name, value in node.items() if name != key}
    return None


def _note(found: ResaError, path: str, mistakes: list[ConfigError]) -> None:
    if isinstance(found, ConfigErrors):
        mistakes.extend(found.errors)
    elif isinstance(found, ConfigError) and found.where:
        mistakes.append(found)
    else:
        mistakes.append(ConfigError(found.what, where=found.where or path, remedy=found.remedy))


def cause_of(error: BaseException) -> ResaError | None:
    """The first ResaError behind Hydra's, or one that says what else went wrong."""
    inner: BaseException | None = error
    last = error
    while inner is not None:
        if isinstance(inner, ResaError):
            return inner
        last, inner = inner, inner.__cause__
    return ConfigError(f"cannot be built: {type(last).__name__}: {str(last).splitlines()[0] if str(last) else ''}")
