"""The dataset stage as the doors call it: from files in their official layout to rows, folder and card."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from data_builders.recipe import Recipe
from data_builders.stage import make_dataset
from resa.artifacts import Artifact, ArtifactStore
from resa.errors import ConfigError, DataError
from resa.launching import InProcess
from resa.places import Places
from resa.reasoning import problems
from tests.data_builders.conftest import composed, rows_of

Build = Callable[..., Artifact]
SMALL = "method.data.parts.helpful.limit=6"


def step(artifact: Artifact, name: str) -> Any:
    return next(step for step in artifact.contents["funnel"] if step["step"] == name)


def test_resa_is_taught_each_instruction_alone_with_a_thought(build: Build) -> None:
    made = build("method=resa")
    rows = rows_of(made)
    assert Counter(row["part"] for row in rows) == {"safety": 12 + 1, "helpful": 13}, "one twin"
    assert all(len(row["prompt"]) == 1 for row in rows if row["part"] == "safety")
    assert all(not problems(row["completion"]) and row["thought"] and row["answer"] for row in rows)
    refused = {row["label"]: "Verdict: disallowed" in row["thought"] for row in rows}
    assert refused == {"harmful": True, "benign": False}
    assert all(Path(image).is_absolute() and Path(image).is_file() for row in rows for image in row["images"])
    assert len({row["id"] for row in rows}) == len(rows)


def test_the_direct_baseline_keeps_the_official_dialogues_a_row_a_turn(build: Build) -> None:
    rows = rows_of(build("method=vlguard"))
    safety = [row for row in rows if row["part"] == "safety"]
    assert sorted(len(row["prompt"]) for row in safety) == [1] * 8 + [3] * 4
    assert all(row["thought"] is None and row["completion"] == row["answer"] for row in rows)
    assert all(not row["prompt"][-1]["images"] for row in safety if len(row["prompt"]) == 3)


def test_the_mix_is_drawn_by_seed_and_its_size_is_its_limit(build: Build) -> None:
    one, other = build("method=resa", SMALL), build("method=resa", SMALL, "method.data.seed=1")
    drawn = [{row["id"] for row in rows_of(made) if row["part"] == "helpful"} for made in (one, other)]
    assert [len(ids) for ids in drawn] == [6, 6]
    assert drawn[0] != drawn[1]
    assert "helpful: 6 of 13 rows drawn (limit 6, seed 0)" in one.contents["notes"]


def test_the_same_seed_gives_the_same_bytes_and_no_work_is_done_twice(build: Build) -> None:
    def content(made: Artifact) -> dict[str, str]:
        files = [file for file in made.path.rglob("*") if file.is_file() and file.name != "manifest.json"]
        return {str(file.relative_to(made.path)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}

    one, again = build("method=resa", SMALL), build("method=resa", SMALL, store="elsewhere")
    assert content(one) == content(again)
    assert not again.reused
    assert build("method=resa", SMALL, "seed=5").reused, "the run's own seed does not change the data"


def test_without_this_package_datasets_and_trl_can_use_it(build: Build, tiny_qwen: Path) -> None:
    from datasets import load_from_disk
    from transformers import AutoProcessor
    from trl.trainer.sft_trainer import DataCollatorForVisionLanguageModeling

    made = build("method=vlguard", SMALL)
    rows = load_from_disk(str(made.path / "hf"))
    assert rows["id"] == [row["id"] for row in rows_of(made)]
    assert {len(images) for images in rows["images"]} == {0, 1}
    processor = AutoProcessor.from_pretrained(tiny_qwen)
    collate = DataCollatorForVisionLanguageModeling(processor, completion_only_loss=True)
    batch = collate([dict(rows[place]) for place in range(len(rows))])
    for labels, row in zip(batch["labels"], rows_of(made), strict=True):
        learnt = processor.tokenizer.decode(labels[labels != -100])
        assert learnt == f"{row['completion']}<|im_end|>\n"
    shown = sum(len(row["images"]) for row in rows_of(made))
    assert len(batch["image_grid_thw"]) == shown


def test_what_is_kept_out_is_named_and_counted(build: Build, vlguard: Path, llava_mix: Path) -> None:
    records = json.loads((vlguard / "train.json").read_text())
    del records[0]["instr-resp"]
    records[2]["instr-resp"][0]["response"] = "Step 1: heat it."
    (vlguard / "train.json").write_text(json.dumps(records))
    image = vlguard / "train/ads/4.png"
    image.write_bytes(image.read_bytes()[:80])
    (llava_mix / "images/1.png").unlink()
    made = build("method=resa")
    malformed = step(made, "safety: records of vlguard")
    assert (malformed["in"], malformed["out"], malformed["dropped"]) == (8, 7, {"malformed record": 1})
    assert "train.json, row 0" in malformed["examples"][0]["reason"]
    assert step(made, "safety: images can be read")["dropped"] == {"the image cannot be read": 1}
    assert step(made, "helpful: images can be read")["dropped"] == {"the image is missing": 1}
    assert step(made, "filter verdict")["dropped"] == {"disallowed": 1}
    assert "4.png" in step(made, "safety: images can be read")["examples"][0]["reason"]
    card = (made.path / "README.md").read_text()
    assert "| safety: images can be read | 11 | 10 | the image cannot be read: 1 |" in card


def test_strict_takes_no_bad_record(build: Build, vlguard: Path) -> None:
    image = vlguard / "train/ads/4.png"
    image.write_bytes(image.read_bytes()[:80])
    with pytest.raises(DataError, match=r"ads/4\.png"):
        build("method=resa", "method.data.strict=true")


def test_a_source_without_a_usable_record_is_an_error(build: Build, vlguard: Path) -> None:
    (vlguard / "train.json").write_text('[{"id": 1}, {"id": 2}]')
    with pytest.raises(DataError, match=r"none of the 2 records can be used"):
        build("method=resa")


def test_missing_folders_are_named_together_before_any_work(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"paths\.llava_mix.*paths\.vlguard"):
        make_dataset(composed("method=resa"), ArtifactStore(tmp_path), InProcess(), Places({}))
    assert not list(tmp_path.rglob("*"))


def test_the_base_has_no_dataset(tmp_path: Path) -> None:
    assert make_dataset(composed("method=none"), ArtifactStore(tmp_path), InProcess(), Places({})) is None


def test_the_template_cannot_write_answers(build: Build) -> None:
    with pytest.raises(ConfigError, match=r"cannot do data\.answers=revised"):
        build("method=resa", "method.data.answers=revised")


def test_evaluation_items_are_kept_out(build: Build, vlguard: Path) -> None:
    """A training picture that also is a test picture goes, with every row on it."""
    (vlguard / "test").mkdir()
    (vlguard / "test/same.png").write_bytes((vlguard / "train/ads/1.png").read_bytes())
    made = build("method=resa")
    assert step(made, "filter overlap")["dropped"] == {"evaluation image": 2}
    assert "overlap: not compared with multitrust, because paths.multitrust is not set" in made.contents["notes"]


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"parts": {}}, "at least one part"),
        ({"parts": {"a": {"source": None, "limt": 3}}}, "Did you mean 'limit'"),
        ({"parts": {"a": {"source": None, "limit": 0}}}, "limit must be at least 1"),
        ({"parts": {"a": {"source": None, "turns": "every"}}}, "unknown turns"),
        ({"parts": {"a": {"source": None}}, "answers": "revised"}, "needs a teacher"),
        ({"parts": {"a": {"source": None}}, "answers": "new", "thoughts": True}, "unknown answers"),
    ],
)
def test_a_bad_recipe_is_a_configuration_error(fields: dict[str, Any], why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        Recipe("mine", **fields)


def test_real_reasoning_and_real_photographs_make_a_dataset(build: Build, real: Callable[..., Path]) -> None:
    roots = {"star1": real("data", "star1"), "coco_qa": real("data", "coco_mini_open")}
    made = build("data@method.data=star1_coco", "method=resa", **roots)
    parts = Counter(row["part"] for row in rows_of(made))
    assert parts["safety"] >= 900
    assert parts["helpful"] >= 80
    assert step(made, "safety: records of star1")["out"] == 1000


def test_your_own_file_is_a_dataset(build: Build, tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    lines = [{"prompt": f"What is {n}?", "response": f"It is {n}."} for n in range(3)]
    (own / "data.jsonl").write_text("".join(json.dumps(line) + "\n" for line in [*lines, lines[0]]) + "{bad\n")
    made = build("data@method.data=jsonl", jsonl=own)
    assert made.contents["rows"] == 3
    assert step(made, "filter duplicates")["dropped"] == {"repeated prompt": 1}
    assert step(made, "own: records of jsonl")["dropped"] == {"malformed record": 1}
