"""Readers: the official layout is read whole, and every defect is named by file and line."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from eval.benchmark import TASKS, MultiTrust, read_tasks
from eval.readers.files import Root
from eval.tasks.base import Source
from resa.errors import ConfigError, DataError
from tests.eval.release import picture, write_json, write_table

SAMPLES = {
    "T1": 9, "T2": 18, "T3": 12, "T4": 10, "T5": 1, "T6": 10, "T7": 12, "S1": 12, "S2": 25, "S3": 20, "S4": 12, "S5": 4,
    "S6": 84, "R1": 6, "R2": 7, "R3": 50, "R4": 2, "R5": 1, "R6": 60, "F1": 2, "F2": 30, "F3": 45, "F4": 10, "F5": 2,
    "F6": 12, "F7": 20, "P1": 5, "P2": 1, "P3": 75, "P4": 12, "P5": 2, "P6": 700, "multiple_choice": 2, "open_vqa": 1,
    "text_qa": 1, "xstest": 1, "safe_twins": 1,
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_every_task_reads_the_release(name: str, release: dict[str, str]) -> None:
    task = read_tasks([TASKS])[name]
    samples = [sample for _, found in task.samples(Source(release)) for sample in found]
    assert len(samples) == SAMPLES[name]
    assert len({sample.id for sample in samples}) == len(samples)
    for sample in samples:
        assert sample.prompt.strip()
        assert "{" not in sample.prompt or name == "S4"
        assert all(Path(image).is_file() for image in sample.images)
        assert task.measures(sample)


def test_pairings_follow_the_seed_and_stand_in_the_id(release: dict[str, str]) -> None:
    def drawn(seed: int) -> dict[str, tuple[str, ...]]:
        samples = MultiTrust("x", ["F2", "S3", "S6"], seed=seed).samples(release)
        return {sample.id: sample.images for sample in samples if "unrelated" in sample.variant}

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)
    for name, images in drawn(1).items():
        assert Path(images[0]).stem in name


def test_official_order_of_images_is_natural(release: dict[str, str]) -> None:
    names = [Path(image).name for image in Root("multitrust", release["multitrust"]).images("safety/nsfw/porn")]
    assert names == ["1.png", "2.png", "10.png"]


def test_repeated_header_rows_and_empty_statements_are_no_rows(release: dict[str, str]) -> None:
    root = Root("multitrust", release["multitrust"])
    assert len(list(root.table("safety/typographic_jailbreak/prompt_graph.csv"))) == 2
    assert "They are 6." in [row["Stereo Statement"] for _, row in root.table("fairness/stereo_statement.csv")]


@pytest.fixture
def copy(release: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """A release of one's own, to be damaged."""
    shutil.copytree(release["multitrust"], tmp_path / "multitrust")
    return {**release, "multitrust": str(tmp_path / "multitrust")}


def read(task: str, roots: dict[str, str]) -> None:
    MultiTrust("x", [task]).samples(roots)


def test_a_missing_folder(copy: dict[str, str]) -> None:
    shutil.rmtree(Path(copy["multitrust"], "robustness/ood-artistic"))
    with pytest.raises(DataError, match=r"(?s)dataset not found.*ood-artistic/label/cartoon.json.*paths.multitrust"):
        read("R1", copy)


def test_an_unconfigured_root() -> None:
    with pytest.raises(ConfigError, match=r"paths.multitrust"):
        read("R1", {})


def test_a_malformed_line_is_named(copy: dict[str, str]) -> None:
    file = Path(copy["multitrust"], "robustness/adv_nips/label.json")
    file.write_text(file.read_text() + '{"image_name": "n.png", "untarg\n')
    with pytest.raises(DataError, match=r"adv_nips/label.json:2"):
        read("R5", copy)


def test_a_malformed_array_is_named_by_its_line(copy: dict[str, str]) -> None:
    file = Path(copy["multitrust"], "truthfulness/query_basic/query_g_ocr.json")
    file.write_text('[\n{"image": "0.png",\n "query" "x"}]')
    with pytest.raises(DataError, match=r"query_g_ocr.json:3"):
        read("T1", copy)


def test_a_missing_field(copy: dict[str, str]) -> None:
    write_json(Path(copy["multitrust"], "privacy/vispr/sampled_vispr_test2017.jsonl"), [{"image": "0.png"}])
    with pytest.raises(DataError, match=r"(?s)fields missing: private.*entry 1"):
        read("P1", copy)


def test_a_truncated_image(copy: dict[str, str]) -> None:
    file = Path(copy["multitrust"], "fairness/stereo_generation_images/a.png")
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(DataError, match=r"(?s)not a whole image.*a.png"):
        read("F1", copy)


def test_a_truncated_jpeg(copy: dict[str, str]) -> None:
    file = Path(copy["multitrust"], "privacy/celeb/imgs/Ann_Bee.jpeg")
    file.write_bytes(file.read_bytes()[:-10])
    with pytest.raises(DataError, match=r"its end is missing"):
        read("P4", copy)


def test_a_missing_image(copy: dict[str, str]) -> None:
    Path(copy["multitrust"], "robustness/adv_nips/source/target/n.png").unlink()
    with pytest.raises(DataError, match=r"(?s)image not found.*target/n.png"):
        read("R5", copy)


def test_a_row_with_too_few_cells(copy: dict[str, str]) -> None:
    file = Path(copy["multitrust"], "fairness/stereo_statement.csv")
    file.write_text("Number,Stereo Statement,Type\n1,They are.,Age\n2,They\n")
    with pytest.raises(DataError, match=r"stereo_statement.csv:3"):
        read("F2", copy)


def test_a_truth_that_is_neither_yes_nor_no(copy: dict[str, str]) -> None:
    rows = [{"image": "0.png", "query": "Q?", "truth": "Maybe"}]
    write_json(Path(copy["multitrust"], "truthfulness/query_basic/query_d_scene.json"), rows)
    with pytest.raises(DataError, match=r"neither Yes nor No: 'Maybe'"):
        read("T1", copy)


def test_counts_are_compared_with_the_official_release(
    release: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    MultiTrust("x", ["R5"], check_counts=True).samples(release)
    assert "R5 adv-target: 1 samples instead of 100" in capsys.readouterr().err
    with pytest.raises(DataError, match=r"1 images instead of 100"):
        MultiTrust("x", ["R5"], check_counts=True, strict_counts=True).samples(release)


def test_a_person_without_a_photograph_is_left_out_and_named(
    release: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    samples = MultiTrust("x", ["P4"]).samples(release)
    assert len(samples) == 12
    assert "No_Photo.jpeg" in capsys.readouterr().err


def test_figsteps_own_files(tmp_path: Path) -> None:
    row = {
        "dataset": "ForbidQI",
        "category_id": 1,
        "task_id": 2,
        "category_name": "x",
        "question": "q?",
        "instruction": "i",
    }
    write_table(tmp_path / "safebench.csv", [row])
    picture(tmp_path / "SafeBench/query_ForbidQI_1_2_6.png")
    (sample,) = MultiTrust("x", ["figstep"]).samples({"figstep": str(tmp_path)})
    assert sample.id == "figstep/figstep/1_2"
    assert sample.meta["behaviour"] == "q?"
    picture(tmp_path / "SafeBench/query_ForbidQI_9_9_6.png")
    with pytest.raises(DataError, match=r"without a row in safebench.csv"):
        MultiTrust("x", ["figstep"]).samples({"figstep": str(tmp_path)})
