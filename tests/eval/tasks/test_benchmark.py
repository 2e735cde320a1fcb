"""Choosing tasks, limits and wordings; a task of one's own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from eval.aspects import OFFICIAL_TASKS, SUB_ASPECTS
from eval.benchmark import WORDINGS_LISTED, MultiTrust, spread
from resa.errors import ConfigError

CHECKOUT = Path(__file__).parents[3]


def test_all_is_the_thirty_two_tasks_utility_and_over_refusal() -> None:
    chosen = MultiTrust("x").chosen
    assert list(chosen)[:32] == list(OFFICIAL_TASKS)
    assert {task.group for task in chosen.values()} == {"trust", "utility", "over_refusal"}
    assert "figstep" not in chosen


def test_official_sizes_sum_to_the_published_number_of_generations() -> None:
    tasks = [task for task in MultiTrust("x").chosen.values() if task.group == "trust"]
    rows = sum(variant.rows or 0 for task in tasks for variant in task.known)
    assert rows == 30_724 - 40 + 1_400  # S6 is asked whole; the official loader keeps 40 of its 1,400


@pytest.mark.parametrize(
    ("choice", "tasks"),
    [
        (["S5"], ["S5"]), (["S.J"], ["S4", "S5", "S6"]), (["P"], ["P1", "P2", "P3", "P4", "P5", "P6"]),
        (["over_refusal"], ["safe_twins", "xstest"]), (["R[45]", "figstep"], ["R4", "R5", "figstep"]), ("T1", ["T1"]),
    ],
)  # fmt: skip
def test_tasks_by_name_sub_aspect_aspect_group_or_pattern(choice: str | list[str], tasks: list[str]) -> None:
    assert list(MultiTrust("x", choice).chosen) == tasks


def test_an_unknown_task_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"no task matches 'S.K'. Did you mean 'S"):
        MultiTrust("x", ["S.K"])


def test_the_weights_of_every_sub_aspect_sum_to_one() -> None:
    for sub in SUB_ASPECTS.values():
        assert sum(sub.tasks.values()) == pytest.approx(1)
    assert SUB_ASPECTS["P.A"].tasks == {"P1": 0.4, "P2": 0.3, "P3": 0.3}


def test_a_limit_spreads_over_the_variant() -> None:
    assert spread(list(range(10)), 3) == [0, 3, 6]  # type: ignore[arg-type,comparison-overlap]
    assert spread([1, 2], 3) == [1, 2]  # type: ignore[list-item,comparison-overlap]


def test_wordings_replace_ours(release: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "adv-target.txt").write_text("Say what you see.\n")
    for prompts in (str(tmp_path), {"adv-target": "Say what you see."}):
        benchmark = MultiTrust("x", ["R5"], prompts=prompts)
        assert benchmark.samples(release)[0].prompt == "Say what you see."
        assert benchmark.identity() != MultiTrust("x", ["R5"]).identity()


def test_a_wording_for_nothing_or_with_unknown_fields_is_a_mistake(release: dict[str, str]) -> None:
    with pytest.raises(ConfigError) as mistaken:
        MultiTrust("x", ["R5"], prompts={"adv-targt": "x", "zzz": "y"})
    assert "no variant: adv-targt (did you mean adv-target, adv-untarget, adv-clean?); zzz" in str(mistaken.value)
    assert len(str(mistaken.value)) < 300, "the nearest few, not all there are"
    assert WORDINGS_LISTED in str(mistaken.value)
    benchmark = MultiTrust("x", ["T5"], prompts={"g-text-misleading": "{question}"})
    with pytest.raises(ConfigError, match=r"its fields are: \{query\}"):
        benchmark.samples(release)


def test_the_file_that_lists_the_wordings_has_them_all() -> None:
    listed = json.loads((CHECKOUT / WORDINGS_LISTED).read_text())
    known = {name for task in MultiTrust("x").known.values() for v in task.chosen for name in v.wordings}
    assert known == {name for task in listed.values() for name in task["prompts"]}


def test_a_new_task_is_one_class_and_one_yaml(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("_target_: eval.tasks.misguided.T5\nname: mine\nmax_new_tokens: 7\n")
    benchmark = MultiTrust("x", ["mine"], task_folders=[str(tmp_path)])
    assert benchmark.chosen["mine"].limit == 7
    (tmp_path / "bad.yaml").write_text("_target_: eval.tasks.misguided.T5\nname: bad\nvariants: [nothing]\n")
    with pytest.raises(ConfigError, match=r"(?s)no variant 'nothing'.*bad.yaml"):
        MultiTrust("x", ["mine"], task_folders=[str(tmp_path)])


def test_identity_follows_what_shapes_the_samples() -> None:
    base = MultiTrust("x", ["R5"]).identity()
    assert base == MultiTrust("x", ["R5"]).identity()
    assert base != MultiTrust("x", ["R5"], seed=1).identity()
    assert base != MultiTrust("x", ["R4"]).identity()
    assert base != MultiTrust("x", ["R5"], limit=3).identity()
