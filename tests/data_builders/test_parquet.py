"""The rows as Parquet: what ``hf/`` holds, read without this package, the same bytes each time, in bounded memory."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from data_builders.output import write_hf
from data_builders.parquet import GROUP_ROWS, write_parquet
from data_builders.rows import Row
from resa.artifacts import Artifact
from tests.data_builders.finished_dataset import every_kind, finished, said

Build = Callable[..., Artifact]


def loaded(folder: Path, cache: Path) -> Any:
    from datasets import load_dataset

    files = str(folder / "parquet/*.parquet")
    return load_dataset("parquet", data_files=files, split="train", cache_dir=str(cache))


def test_the_stage_leaves_it_and_trl_takes_it(build: Build, tiny_qwen: Path, tmp_path: Path) -> None:
    from datasets import load_from_disk
    from transformers import AutoProcessor
    from trl.trainer.sft_trainer import DataCollatorForVisionLanguageModeling

    made = build("method=vlguard", "method.data.parts.helpful.limit=6")
    rows, disk = loaded(made.path, tmp_path / "cache"), load_from_disk(str(made.path / "hf"))
    assert rows.features == disk.features
    assert [pixels(row) for row in rows] == [pixels(row) for row in disk]
    collate = DataCollatorForVisionLanguageModeling(AutoProcessor.from_pretrained(tiny_qwen), completion_only_loss=True)
    assert len(collate([dict(row) for row in rows])["labels"]) == len(rows)


def pixels(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "images": [image.convert("RGB").tobytes() for image in row["images"]]}


@pytest.mark.parametrize(("pairs", "columns"), [("none", {"completion"}), ("some", {"completion", "rejected"})])
def test_every_kind_of_row(tmp_path: Path, pairs: str, columns: set[str]) -> None:
    folder = finished(tmp_path, every_kind(tmp_path)).path
    write_hf(folder, structured=True, pairs=pairs)
    write_parquet(folder)
    rows = loaded(folder, tmp_path / "cache")
    assert columns <= set(rows.column_names)
    assert [len(row["images"]) for row in rows] == [len(row.images) for row in every_kind(tmp_path)]
    first, second = rows[2]["images"]
    assert first.tobytes() != second.tobytes()


def test_the_same_rows_give_the_same_bytes(tmp_path: Path) -> None:
    def digests(folder: Path) -> list[str]:
        write_hf(folder, structured=True, pairs="some")
        write_parquet(folder)
        return [hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(folder.glob("parquet/*"))]

    one = digests(finished(tmp_path / "one", every_kind(tmp_path)).path)
    assert one == digests(finished(tmp_path / "two", every_kind(tmp_path)).path)
    assert len(one) == 1


def test_row_groups_are_bounded(tmp_path: Path) -> None:
    from pyarrow import parquet

    rows = (Row(f"t/{n}", "t", "s", (said("user", f"What is {n}?"),), "A number.") for n in range(2 * GROUP_ROWS + 1))
    folder = finished(tmp_path, rows).path
    write_hf(folder, structured=False)
    write_parquet(folder)
    (file,) = folder.glob("parquet/*")
    found = parquet.ParquetFile(file).metadata
    assert [found.row_group(place).num_rows for place in range(found.num_row_groups)] == [GROUP_ROWS, GROUP_ROWS, 1]


def test_it_is_read_where_this_package_is_not(tmp_path: Path) -> None:
    folder = finished(tmp_path, every_kind(tmp_path)).path
    write_hf(folder, structured=True)
    write_parquet(folder)
    for image in (tmp_path / "pictures").iterdir():
        image.unlink()
    code = (
        "import sys; from datasets import load_dataset\n"
        "rows = load_dataset('parquet', data_files=sys.argv[1], split='train', cache_dir=sys.argv[2])\n"
        "print(len(rows), rows[1]['images'][0].size, 'data_builders' in sys.modules)"
    )
    command = [sys.executable, "-P", "-c", code, str(folder / "parquet/*.parquet"), str(tmp_path / "cache")]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout.strip() == "7 (84, 84) False", done.stderr
