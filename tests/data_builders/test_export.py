"""A finished dataset in LLaMA-Factory's format, read back as LLaMA-Factory reads it and compared row for row."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_builders.export import export, main
from data_builders.llama_factory import PLACEHOLDER, TAKEN, conversation, fitting
from data_builders.rows import Row
from resa.artifacts import Artifact
from resa.errors import ConfigError, DataError
from resa.types import Turn
from tests.data_builders.conftest import CHECKOUT, rows_of
from tests.data_builders.finished_dataset import every_kind, finished, said


@pytest.fixture
def made(tmp_path: Path) -> Artifact:
    return finished(tmp_path, every_kind(tmp_path))


def read_back(folder: Path, name: str) -> list[dict[str, Any]]:
    """The rows of a dataset by ``dataset_info.json`` alone, through ``datasets`` as LLaMA-Factory reads them, in the
    form of rows.jsonl (id, prompt, completion, rejected; images by content)."""
    from datasets import load_dataset

    info = json.loads((folder / "dataset_info.json").read_text())[name]
    columns, tags = info["columns"], info["tags"]
    roles = {tags["user_tag"]: "user", tags["assistant_tag"]: "assistant"}
    files = str(folder / info["file_name"])
    found = []
    for row in load_dataset("json", data_files=files, split="train", cache_dir=str(folder / ".cache")):
        says = [(roles[turn[tags["role_tag"]]], turn[tags["content_tag"]]) for turn in row[columns["messages"]]]
        assert [role for role, _ in says] == [["user", "assistant"][place % 2] for place in range(len(says))]
        assert len(says) % 2 == bool(info.get("ranking")), "a ranking conversation ends with the user"
        images = [(folder / image).read_bytes() for image in (row[columns["images"]] if "images" in columns else [])]
        assert sum(text.count(PLACEHOLDER) for _, text in says) == len(images)
        turns = [("system", row[columns["system"]], [])] if row[columns["system"]] else []
        for role, text in says:
            count = text.count(PLACEHOLDER)
            assert text.startswith(PLACEHOLDER * count)
            turns.append((role, text.removeprefix(PLACEHOLDER * count), [images.pop(0) for _ in range(count)]))
        answers = {}
        if info.get("ranking"):
            answers["rejected"] = row[columns["rejected"]][tags["content_tag"]]
            turns.append(("assistant", row[columns["chosen"]][tags["content_tag"]], []))
        found.append({"id": row["id"], "prompt": turns[:-1], "completion": turns[-1][1], **answers})
    return found


def expected(artifact: Artifact) -> dict[str, dict[str, Any]]:
    rows = {}
    for row in rows_of(artifact):
        turns = [(t["role"], t["text"], [Path(image).read_bytes() for image in t["images"]]) for t in row["prompt"]]
        rows[row["id"]] = {key: row[key] for key in ("id", "completion", "rejected") if key in row} | {"prompt": turns}
    return rows


@pytest.mark.parametrize("images", ["copy", "reference"])
def test_every_row_comes_back(made: Artifact, tmp_path: Path, images: str) -> None:
    out = tmp_path / "out"
    report = export(made.path, out, images=images)
    assert report["rows"] == {"mine": 5, "mine_pairs": 2}
    back = read_back(out, "mine") + read_back(out, "mine_pairs")
    assert {row["id"]: row for row in back} == expected(made)
    assert (out / "images").is_dir() == (images == "copy")
    assert json.loads((out / "dataset_info.json").read_text())["mine_pairs"]["ranking"] is True


def test_the_order_is_kept_but_the_first_row_with_an_image_leads(made: Artifact, tmp_path: Path) -> None:
    export(made.path, tmp_path / "out")
    ids = [row["id"] for row in read_back(tmp_path / "out", "mine")]
    assert ids == ["a/one", "a/text", "a/two", "a/history", "b/system"]


def test_a_late_first_image_can_be_read(tmp_path: Path) -> None:
    """``datasets`` takes the type of the column ``images`` from the first 10 MB of a file."""
    last = every_kind(tmp_path)[1]
    long = (Row(f"t/{n}", "t", "s", (said("user", "x" * 60_000),), "No.") for n in range(200))
    made = finished(tmp_path, [*long, last])
    export(made.path, tmp_path / "out")
    assert {row["id"]: row for row in read_back(tmp_path / "out", "mine")} == expected(made)


def test_text_alone_has_no_column_for_images(tmp_path: Path) -> None:
    made = finished(tmp_path, [every_kind(tmp_path)[0]])
    export(made.path, tmp_path / "out")
    assert "images" not in json.loads((tmp_path / "out/dataset_info.json").read_text())["mine"]["columns"]
    assert read_back(tmp_path / "out", "mine") == list(expected(made).values())


def test_what_the_format_cannot_say_is_left_out_by_name(tmp_path: Path) -> None:
    twice = (said("user", "One."), said("user", "Two."))
    late = (said("user", "One."), said("assistant", "1"), said("system", "Now lie."), said("user", "Two."))
    odd = [
        Row("o/word", "o", "s", (said("user", "What does <image> mean?"),), "A tag."),
        Row("o/twice", "o", "s", twice, "Both."),
        Row("o/late", "o", "s", late, "2"),
    ]
    made = finished(tmp_path, [*every_kind(tmp_path), *odd])
    report = export(made.path, tmp_path / "out")
    assert {reason: found["examples"] for reason, found in report["left_out"].items()} == {
        "its text says <image>, <video>, <audio>": ["o/word"],
        "its turns do not alternate": ["o/twice"],
        "a system turn that is not at the beginning, or has images": ["o/late"],
    }
    assert json.loads((tmp_path / "out/export.json").read_text()) == report
    with pytest.raises(DataError, match="no row can be written"):
        export(finished(tmp_path / "odd", odd).path, tmp_path / "none")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["artifacts", "odd", "out", "pictures"]


TEXT = st.text(st.characters(exclude_categories=["Cs"])) | st.sampled_from(["<image>", "See <video> 3", "<imag e>"])


@given(st.lists(st.tuples(TEXT, st.integers(0, 3)), min_size=1, max_size=5), TEXT, st.none() | TEXT)
def test_placeholders_are_as_many_as_images(asked: list[tuple[str, int]], answer: str, rejected: str | None) -> None:
    turns: list[Turn] = []
    for text, count in asked:
        turns += [said("user", text, *(f"{n}.png" for n in range(count))), said("assistant", "So.")]
    row = Row("r", "p", "s", tuple(turns[:-1]), answer, rejected=rejected).to_json()
    if fitting(row) is None:
        messages = conversation(row, rejected is not None)["conversations"]
        assert sum(message["value"].count(PLACEHOLDER) for message in messages) == len(row["images"])
    else:
        assert any(word in text for text in [*dict(asked), answer, rejected or ""] for word in TAKEN)


def test_nothing_is_overwritten_and_nothing_half_written_stays(made: Artifact, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    with pytest.raises(ConfigError, match="overwrites nothing"):
        export(made.path, out)
    os.unlink(tmp_path / "pictures/3.png")
    with pytest.raises(DataError, match=r"not there any more(.|\n)*a/two: .*3\.png"):
        export(made.path, tmp_path / "other")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["artifacts", "out", "pictures"]


def test_the_same_rows_give_the_same_bytes(made: Artifact, tmp_path: Path) -> None:
    def content(folder: Path) -> dict[str, bytes]:
        return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}

    export(made.path, tmp_path / "one")
    export(made.path, tmp_path / "two")
    assert content(tmp_path / "one") == content(tmp_path / "two")


def test_the_command(made: Artifact, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """From the run folder, in a process of its own; and its errors."""
    run = tmp_path / "run"
    (run / "artifacts").mkdir(parents=True)
    (run / "artifacts/dataset").symlink_to(made.path)
    command = [sys.executable, "-m", "data_builders.export", str(run), "--format", "llama_factory"]
    done = subprocess.run(
        [*command, "--out", str(tmp_path / "out"), "--name", "other"], cwd=CHECKOUT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["other: 5 rows", "other_pairs: 2 rows", str(tmp_path / "out")]
    assert main([str(run), "--out", str(tmp_path / "out")]) == 2
    assert main([str(tmp_path), "--out", str(tmp_path / "x")]) == 1
    assert main([str(run), "--out", str(tmp_path / "x"), "--name", "../x"]) == 1
    errors = capsys.readouterr().err
    assert "overwrites nothing" in errors
    assert "not an artifact: no manifest" in errors
    assert "not a name for a dataset" in errors
