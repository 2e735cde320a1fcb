"""A finished dataset, as the stage left it: for those who read or export it."""

from __future__ import annotations

import json
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from resa.artifacts import MANIFEST, Artifact
from resa.errors import DataError
from resa.run_folder import LINKS

ROWS = "rows.jsonl"


@dataclass(frozen=True)
class Dataset:
    """Attributes:
    path: its folder; contents: what its manifest says is in it; name: of its recipe.
    """

    path: Path
    contents: Mapping[str, Any]
    name: str

    @staticmethod
    def of(artifact: Artifact) -> Dataset:
        """Raises:
        DataError: the artifact is no dataset.
        """
        if artifact.manifest.get("kind") != "dataset" or not (artifact.path / ROWS).is_file():
            raise DataError(
                f"not a dataset: {artifact.manifest.get('kind')!r}",
                where=str(artifact.path),
                remedy="give a folder under artifacts/dataset, or the run folder of build_data.py",
            )
        recipe = artifact.manifest["config"].get("recipe") or {}
        return Dataset(artifact.path, artifact.contents, str(recipe.get("name", "dataset")))

    @staticmethod
    def load(folder: Path) -> Dataset:
        """The dataset in ``folder``: its own folder, or a run folder that links to it.

        Raises:
            ArtifactError: there is no manifest, or it is damaged. DataError: it is another artifact.
        """
        linked = folder / LINKS / "dataset"
        if not (folder / MANIFEST).is_file() and linked.exists():
            # Where links cannot be made, a run folder holds a file with the path.
            folder = linked if linked.is_dir() else Path(linked.read_text(encoding="utf-8").strip())
        return Dataset.of(Artifact.load(folder))

    def rows(self, only: Container[int] | None = None) -> Iterator[dict[str, Any]]:
        """The rows of ``rows.jsonl``, one at a time; with ``only``, those at these places (from 0), the others unread.

        Raises:
            DataError: a line is not a row; names the file and the line.
        """
        file = self.path / ROWS
        with file.open("rb") as stream:
            for number, line in enumerate(stream, 1):
                if only is not None and number - 1 not in only:
                    continue
                try:
                    row = json.loads(line)
                    yield {**row, "id": row["id"], "prompt": row["prompt"], "completion": row["completion"]}
                except (ValueError, KeyError, TypeError) as error:
                    raise DataError(
                        f"not a row: {error!r}",
                        where=f"{file}:{number}",
                        remedy="delete the dataset's folder; build_data.py makes it again",
                    ) from error
