"""Each override of a command line against groups, choices and keys. A mistake never hides the next one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from resa.configuration.compose import HYDRA, Composed, Composer
from resa.configuration.secrets import is_secret_name, is_secret_value, refusal
from resa.errors import ConfigError, did_you_mean

if TYPE_CHECKING:
    from hydra.core.override_parser.types import Override


@dataclass
class Reading:
    """What came of a command line.

    Attributes:
        composed: of the overrides that are right; None where nothing can be composed.
        mistakes: one for each that is wrong, in the order of the command line within each kind.
    """

    composed: Composed | None = None
    mistakes: list[ConfigError] = field(default_factory=list)


def read(composer: Composer, overrides: Sequence[str], secrets: frozenset[str] = frozenset()) -> Reading:
    """Check overrides, and compose those that are right.

    Args:
        composer: of the door.
        overrides: as on the command line; no sweeps.
        secrets: values that must not stand in one.
    """
    reading = Reading()
    parsed = [item for text in overrides if (item := parse(text, secrets, reading.mistakes)) is not None]
    own = [item for item in parsed if item.key_or_group.split("/")[0].split(".")[0] == HYDRA]
    groups = [item for item in parsed if item not in own and _chooses(composer, item)]
    values = [item for item in parsed if item not in own and item not in groups]

    if not reading.mistakes and _fits_at_once(composer, parsed, values, reading):
        return reading
    kept = _composable(composer, [], own, reading)
    known = [item for item in groups if _is_choice(composer, item, reading.mistakes)]
    kept = _composable(composer, kept, known, reading)
    if reading.composed is not None:
        tree = reading.composed.plain()
        known = [item for item in values if _is_key(composer, reading.composed, tree, item, reading.mistakes)]
        _composable(composer, kept, known, reading)
    return reading


def _fits_at_once(composer: Composer, parsed: Sequence[Override], values: Sequence[Override], reading: Reading) -> bool:
    """The quick way, for a command line without mistakes: one composition. Hydra itself refuses unknown keys and
    choices; it lets a whole node be replaced by a word."""
    try:
        composed = composer.compose([text(item) for item in parsed])
    except _failures():
        return False
    nodes = {choice.rpartition("@")[2] for choice in composed.choices}
    if any(item.key_or_group in nodes and not isinstance(item.value(), dict) for item in values):
        return False
    reading.composed = composed
    return True


def parse(text: str, secrets: frozenset[str], mistakes: list[ConfigError]) -> Override | None:
    """One override; None, and a mistake, where it cannot be used."""
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    key, _, value = text.partition("=")
    if is_secret_value(value, secrets) or (is_secret_name(key) and value not in ("", "null")):
        mistakes.append(refusal(key.lstrip("+~")))
        return None
    try:
        (found,) = OverridesParser.create().parse_overrides([text])
    except HydraException as error:
        reason = str(error).splitlines()[-1] if "=" in text else "an option is written key=value"
        mistakes.append(ConfigError(f"cannot be read: {reason}", where=text, remedy="quote it: 'key=\"value\"'"))
        return None
    if found.is_sweep_override():
        mistakes.append(ConfigError("several values for one run", where=text, remedy="add -m to run each of them"))
        return None
    return found


def _chooses(composer: Composer, item: Override) -> bool:
    return composer.is_group(item.key_or_group) and not isinstance(item.value(), dict)


def _is_choice(composer: Composer, item: Override, mistakes: list[ConfigError]) -> bool:
    """Whether the group has the choice and the door has the group."""
    group, value = item.key_or_group, item.value()
    if item.is_delete():
        return True
    options = composer.options(group)
    for choice in value if isinstance(value, list) else [value]:
        # Hydra reads none as text, and null, true and 3 as something else; the file is named by how it is written.
        if str(choice) not in options:
            mistakes.append(
                ConfigError(f"unknown {group} {choice!r}. {did_you_mean(str(choice), options)}", where=text(item))
            )
            return False
    choices = composer.default_choices
    if item.is_add() or item.get_key_element() in choices:
        return True
    slots = [key for key in choices if key.split("@")[0] == group]
    if slots:
        remedy = " or ".join(f"{slot}={value}" for slot in slots)
        mistakes.append(ConfigError(f"{group!r} is chosen in its slot", where=text(item), remedy=remedy))
    else:
        what = f"{composer.name}.py has no choice {group!r}. {did_you_mean(group, choices)}"
        carried = "a checkpoint carries its method: model.path=DIR" if group == "method" else None
        mistakes.append(ConfigError(what, where=text(item), remedy=carried))
    return False


def _is_key(
    composer: Composer, composed: Composed, tree: Mapping[str, Any], item: Override, mistakes: list[ConfigError]
) -> bool:
    """Whether an override sets something that is there, or says by ``+`` that it is new."""
    key = item.key_or_group
    if item.is_add() or item.is_force_add():
        return True
    node: Any = tree
    done: list[str] = []
    for part in key.split("."):
        if isinstance(node, list) and part.isdigit() and int(part) < len(node):
            node = node[int(part)]
        elif isinstance(node, Mapping) and part in node:
            node = node[part]
        else:
            mistakes.append(_unknown(composer, tree, item, done, part, node))
            return False
        done.append(part)
    if isinstance(node, Mapping) and "name" in node and not isinstance(item.value(), dict) and not item.is_delete():
        slot = next((choice for choice in composed.choices if choice.endswith(f"@{key}")), None)
        remedy = f"{slot}={item.value()}" if slot else f"set one of its keys: {', '.join(map(str, node))}"
        mistakes.append(ConfigError(f"{key!r} is a group of options, not one option", where=text(item), remedy=remedy))
        return False
    return True


def _unknown(
    composer: Composer, tree: Mapping[str, Any], item: Override, done: list[str], part: str, node: Any
) -> ConfigError:
    """The mistake of a key that is not there, with the nearest one that is."""
    if done:
        keys = [str(key) for key in node if not str(key).startswith("_")] if isinstance(node, Mapping) else []
        inside = ".".join(done)
        return ConfigError(f"unknown key {part!r} in {inside!r}. {did_you_mean(part, keys)}", where=text(item))
    elsewhere = [path for path in paths_of(tree) if path.rsplit(".", 1)[-1] == part]
    if elsewhere:
        remedy = " or ".join(f"{path}={item.value()}" for path in elsewhere[:3])
        return ConfigError(f"unknown option {part!r}", where=text(item), remedy=remedy)
    return ConfigError(f"unknown option {part!r}. {did_you_mean(part, tree)}", where=text(item))


def paths_of(tree: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """The dotted paths of a configuration's values."""
    for key, value in tree.items():
        if not str(key).startswith("_"):
            yield f"{prefix}{key}"
            if isinstance(value, Mapping):
                yield from paths_of(value, f"{prefix}{key}.")


def _composable(composer: Composer, kept: list[str], items: Sequence[Override], reading: Reading) -> list[str]:
    """Compose ``kept`` and ``items``; where that fails, find by trying which items are at fault, and leave them out."""
    failures = _failures()
    try:
        together = [*kept, *(item.input_line for item in items)]
        reading.composed = composer.compose(together)
        return together
    except failures:
        pass
    for item in items:
        try:
            reading.composed = composer.compose([*kept, item.input_line])
            kept = [*kept, item.input_line]
        except failures as error:
            reading.mistakes.append(ConfigError(first_lines(error), where=text(item)))
    if reading.composed is None:
        try:
            reading.composed = composer.compose(kept)
        except failures as error:
            reading.mistakes.append(ConfigError(first_lines(error), where=f"{composer.name}.yaml"))
    return kept


def _failures() -> tuple[type[Exception], ...]:
    """What a composition that does not fit raises."""
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException

    return (HydraException, OmegaConfBaseException, ValueError)


def first_lines(error: BaseException, most: int = 3) -> str:
    """What Hydra says, without its trace and object dumps."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    told = [line for line in lines if not line.startswith(("full_key:", "object_type="))]
    return " ".join(told[:most]) or repr(error)


def text(item: Override) -> str:
    """The override as it was typed."""
    return str(item.input_line)
