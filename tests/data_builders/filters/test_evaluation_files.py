"""Evaluation sets are read whatever their layout, and what is not read is said."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from data_builders.filters.base import Surroundings
from data_builders.filters.evaluation import contents_of
from data_builders.filters.image_overlap import ImageOverlapFilter
from data_builders.filters.overlap import OverlapFilter
from data_builders.intake import Images
from data_builders.rows import Row
from resa.errors import DataError
from resa.types import Turn
from tests.tiny_models import draw_image

TEXT = "How do I bake bread?"


@pytest.fixture
def picture(tmp_path: Path) -> bytes:
    return Path(draw_image(tmp_path / "picture.png", 7)).read_bytes()


def written(folder: Path, picture: bytes) -> Iterator[Path]:
    """The same text and picture in every form."""
    import pyarrow
    from pyarrow import parquet

    folder.mkdir()
    coded = base64.b64encode(picture).decode()
    (folder / "a.tsv").write_text(f"index\timage\tquestion\n1\t{coded}\t{TEXT}\n")
    (folder / "b.json").write_text(json.dumps({"x": [{"image": f"data:image/png;base64,{coded}", "q": TEXT}]}))
    (folder / "c.jsonl").write_text(json.dumps({"image": coded, "q": TEXT}) + "\n")
    table = pyarrow.Table.from_pylist([{"image": {"bytes": picture, "path": "a.png"}, "turns": [{"q": TEXT}]}])
    parquet.write_table(table, folder / "d.parquet")
    yield from sorted(folder.iterdir())


def test_texts_and_images_are_found_in_every_form(tmp_path: Path, picture: bytes) -> None:
    for file in written(tmp_path / "bench", picture):
        assert set(contents_of(file)) == {TEXT, picture}, file.name


def test_lines_of_a_text_file_are_texts(tmp_path: Path) -> None:
    (tmp_path / "prompts.txt").write_text(f"{TEXT}\nword\n\nAnd how long?\n")
    assert list(contents_of(tmp_path / "prompts.txt")) == [TEXT, "And how long?"]


@pytest.mark.parametrize("form", ["a.tsv", "b.json", "c.jsonl", "d.parquet"])
def test_an_image_inside_a_data_file_is_an_evaluation_image(tmp_path: Path, picture: bytes, form: str) -> None:
    for file in written(tmp_path / "bench", picture):
        if file.name != form:
            file.unlink()
    image = draw_image(tmp_path / "train/1.png", 7)
    found, _ = Images().look(image)
    shown = Row("p/1", "p", "test", (Turn("user", "What is it?", (image,)),), "It.", image_hashes=(found or "",))
    around = Surroundings({"bench": str(tmp_path / "bench")})
    for config in (OverlapFilter(against={"bench": ["*"]}), ImageOverlapFilter(against={"bench": ["*"]})):
        assert "evaluation image" in str(config.open(around)(shown))


def test_files_that_are_not_read_are_counted_in_a_note(tmp_path: Path) -> None:
    for name in ("a.npy", "b.npy", "c.pt", "LICENSE", "d.json"):
        (tmp_path / name).write_text("{}")
    notes = OverlapFilter(against={"bench": ["*"]}).notes(Surroundings({"bench": str(tmp_path)}))
    assert notes == ["overlap: 4 files of bench are of kinds that are not read: 2 .npy, 1 .pt, 1 no suffix"]


def test_a_broken_parquet_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(DataError, match="cannot be ruled out"):
        list(contents_of(tmp_path / "a.parquet"))
