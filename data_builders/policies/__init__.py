"""Policies by harm category, for the teacher. Files: ``default.yaml``, or the user's own in the same form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from resa.errors import ConfigError

DEFAULT = "default"


@dataclass(frozen=True)
class Policy:
    """Attributes:
    rule: a few words that a thought may cite; text: what the teacher is told in full.
    describable: whether an image of this kind may be described to a harmless question.
    """

    rule: str
    text: str
    describable: bool = True


@dataclass(frozen=True)
class Policies:
    """Attributes:
    default: where no category is known; by_kind: (category, subcategory or "") -> policy, in lower case.
    """

    default: Policy
    by_kind: Mapping[tuple[str, str], Policy]

    def of(self, category: str | None, subcategory: str | None) -> Policy:
        """The policy of the subcategory, else of the category, else of nothing in particular."""
        kind, part = (category or "").strip().lower(), (subcategory or "").strip().lower()
        return self.by_kind.get((kind, part)) or self.by_kind.get((kind, "")) or self.default


def policy_file(name: str) -> Path:
    """The file of a policy set: one of ours by name, or any by path.

    Raises:
        ConfigError: there is none.
    """
    ours = Path(__file__).parent / f"{name}.yaml"
    file = ours if ours.is_file() else Path(name).expanduser()
    if not file.is_file():
        raise ConfigError(
            f"no policies {name!r}", where="teacher.policies", remedy=f"{DEFAULT}, or the path of a YAML file"
        )
    return file


def load_policies(name: str) -> Policies:
    """A policy set.

    Raises:
        ConfigError: there is none, or the file is not of this form.
    """
    import yaml

    file = policy_file(name)
    try:
        value = yaml.safe_load(file.read_text(encoding="utf-8"))
        found: dict[tuple[str, str], Policy] = {}
        for entry in value["categories"]:
            general = _policy(entry)
            for kind in _names(entry, "category"):
                found[(kind, "")] = general
                for part in entry.get("subcategories", ()):
                    special = _policy(part)
                    both = Policy(
                        special.rule, f"{general.text} {special.text}", general.describable and special.describable
                    )
                    found.update({(kind, name): both for name in _names(part, "subcategory")})
        return Policies(_policy(value["default"]), found)
    except (yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(
            f"the policies cannot be read: {error!r}", where=str(file), remedy="see default.yaml"
        ) from error


def _names(entry: Mapping[str, Any], key: str) -> list[str]:
    return [str(name).strip().lower() for name in (entry[key], *entry.get("also", ()))]


def _policy(entry: Mapping[str, Any]) -> Policy:
    return Policy(
        str(entry["rule"]).strip(), " ".join(str(entry["policy"]).split()), bool(entry.get("describable", True))
    )
