"""Where the external datasets are: a name for each root, and a fingerprint of what lies there.

``paths=mini`` names the folders of the world artifact, ``paths=local`` the user's own copies, in the same layouts. A
root that nobody set is no mistake until something asks for it.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from resa.artifacts import Artifact, digest, file_digest, folder_digest
from resa.errors import ConfigError, DataError, did_you_mean

MINI = "mini"
SETTINGS = ("name", "size", "seed", "knowledge")
"""Keys of a ``paths`` node that are not roots."""


@dataclass(frozen=True)
class MiniWorld:
    """``paths=mini``: a world to draw.

    Attributes:
        name: of this choice.
        size: 1.0 is the default world; items, pictures and rows grow with it.
        seed: decides every draw; the run's own seed does not.
        knowledge: the root whose facts the template teacher knows.
    """

    name: str = MINI
    size: float = 1.0
    seed: int = 0
    knowledge: str | None = "lexicon"

    def __post_init__(self) -> None:
        if not self.size > 0:
            raise ConfigError(f"the size of a mini world must be above 0, not {self.size}", where="paths.size")


@dataclass(frozen=True)
class Places:
    """Roots of the external datasets.

    Attributes:
        roots: name -> absolute path of a folder (``multitrust``, ``vlguard``, ``llava_mix``, ``utility``,
            ``over_refusal`` ...) or of a file (``lexicon``). Only those that are set.
        known: fingerprints that need no reading (those of a world artifact follow from its key).
        world: the mini world that the roots lie in, None for the user's own copies.
    """

    roots: Mapping[str, str]
    known: Mapping[str, str] = field(default_factory=dict)
    world: Artifact | None = field(default=None, compare=False)

    @staticmethod
    def of_world(world: Artifact) -> Places:
        """The roots of a mini world: each folder in it, and each JSON file, by its name without the suffix.

        ``compositions.jsonl`` and the manifest are not data, hence not roots.
        """
        folder = world.path.resolve()
        found = [path for path in folder.iterdir() if path.is_dir() or path.name == "lexicon.json"]
        roots = {path.stem: str(path) for path in sorted(found)}
        return Places(roots, {name: digest([world.key, name]) for name in roots}, world)

    @staticmethod
    def of_config(paths: Mapping[str, Any]) -> Places:
        """The roots that the user configured; relative ones are taken from the working directory.

        Args:
            paths: the ``paths`` node of the configuration, not that of the mini world.

        Raises:
            ConfigError: a root is not a path.
        """
        roots = {}
        for name, value in paths.items():
            if name in SETTINGS or name.startswith("_") or value is None:
                continue
            if not isinstance(value, str) or not value.strip():
                raise ConfigError(
                    f"not a path: {value!r}", where=f"paths.{name}", remedy=f"paths.{name}=FOLDER, or null"
                )
            roots[name] = str(Path(value).expanduser().resolve())
        return Places(roots)

    def root(self, name: str) -> Path:
        """An existing root.

        Raises:
            DataError: it is not set, or there is nothing at its path.
        """
        if name not in self.roots:
            raise DataError(
                f"the dataset folder {name!r} is not set",
                where=f"paths.{name}",
                remedy=f"paths.{name}=FOLDER, or paths=mini for the built-in mini world. "
                + did_you_mean(name, self.roots),
            )
        path = Path(self.roots[name])
        if not path.exists():
            raise DataError(
                "dataset folder not found",
                where=f"paths.{name}={path}",
                remedy=f"put the dataset there, or set paths.{name} to where it is",
            )
        return path

    def key(self, name: str) -> str:
        """Fingerprint (64 hex digits) of a root's content.

        Raises:
            DataError: the root is not set, or there is nothing at its path.
        """
        path = self.root(name)
        return self.known[name] if name in self.known else _fingerprint(path)

    def to_json(self) -> dict[str, Any]:
        return {"roots": dict(self.roots), "known": dict(self.known)}

    @staticmethod
    def from_json(value: Mapping[str, Any]) -> Places:
        return Places(value["roots"], value.get("known", {}))


# Once a process: stages ask for the same root again, and listing a full release takes seconds.
@functools.lru_cache(maxsize=64)
def _fingerprint(path: Path) -> str:
    return folder_digest(path) if path.is_dir() else file_digest(path)
