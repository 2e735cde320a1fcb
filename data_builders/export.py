"""A finished dataset in another trainer's format.

    python -m data_builders.export DATASET_DIR --format llama_factory --out DIR

DATASET_DIR is an artifact (``artifacts/dataset/KEY``) or the run folder of ``build_data.py``. DIR must not exist; it
appears whole or not at all. ``DIR/export.json`` says what was written and what could not be, and why.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from data_builders import llama_factory
from data_builders.finished import Dataset
from resa.artifacts import unwritable, write_atomically
from resa.errors import ConfigError, DataError, ResaError

IMAGES = ("copy", "reference")
Write = Callable[[Dataset, Path, str, bool], dict[str, Any]]
"""``write(dataset, folder, name, copy)`` fills an empty folder and says what it did (``rows``, ``left_out``)."""
FORMATS: Mapping[str, Write] = {"llama_factory": llama_factory.write}
REPORT = "export.json"


def export(
    folder: Path, out: Path, form: str = "llama_factory", images: str = "copy", name: str = ""
) -> dict[str, Any]:
    """Write a dataset in another format.

    Args:
        folder: of the dataset. out: must not exist.
        form: a key of :data:`FORMATS`. images: ``copy`` them into ``out``, or ``reference`` them by absolute path.
        name: of the dataset in the export; by default its recipe's.

    Returns:
        What ``export.json`` says.

    Raises:
        ConfigError: ``out`` exists. DataError: no dataset there, a file is missing, or no row can be written.
        ArtifactError: the disk is full, or ``out`` cannot be written.
    """
    if out.exists() or out.is_symlink():
        raise ConfigError(
            "already there: an export overwrites nothing", where=str(out), remedy="give --out another name"
        )
    dataset = Dataset.load(folder)
    partial = out.with_name(f".{out.name}.partial")
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        said = FORMATS[form](dataset, partial, name or dataset.name, images == "copy")
        report = {"format": form, "dataset": dataset.contents.get("sha256"), "images": images, **said}
        if not report["rows"]:
            raise DataError("no row can be written", where=str(dataset.path), remedy=f"reasons: {report['left_out']}")
        write_atomically(partial / REPORT, json.dumps(report, indent=1, ensure_ascii=False) + "\n")
        partial.rename(out)
    except OSError as error:
        raise unwritable(out, error) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return report


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m data_builders.export", description="A finished dataset in another trainer's format."
    )
    parser.add_argument("dataset", type=Path, metavar="DATASET_DIR", help="artifacts/dataset/KEY, or a run folder")
    parser.add_argument("--out", required=True, type=Path, help="folder to write; it must not exist")
    parser.add_argument("--format", choices=sorted(FORMATS), default="llama_factory")
    parser.add_argument("--images", choices=IMAGES, default="copy", help="copy the files, or name them where they are")
    parser.add_argument("--name", default="", help="the dataset's name in the export; by default its recipe's")
    given = parser.parse_args(arguments)
    try:
        report = export(given.dataset, given.out, given.format, given.images, given.name)
    except ResaError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2 if isinstance(error, ConfigError) else 1
    for dataset, rows in report["rows"].items():
        print(f"{dataset}: {rows} rows")
    for reason, found in report["left_out"].items():
        print(f"left out, {reason}: {found['rows']} rows, such as {', '.join(found['examples'])}")
    print(given.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
