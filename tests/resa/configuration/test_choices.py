"""Every choice that conf/ offers composes, and everything it names can be built."""

from __future__ import annotations

import functools
import operator
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from resa.configuration.command import check
from resa.configuration.compose import CONF, Composer, opened

NEEDED = {"engine": ["engine.model=m"], "judge": ["judge.model=m"], "teacher": ["teacher.model=m"]}
"""What an endpoint cannot do without."""
PARTS = ("task", "filter", "source", "table", "tuning")
"""Groups whose choices stand inside other choices, or are another door's."""
SLOTS = ("data", "encoder", "objective", "guard")
ASKING = "method.data.filters.guard"
"""A filter that asks a respondent; it stands in no recipe."""
VALUES = {"teachers": ["table.values.model=m"]}
"""What a table cannot do without."""
ALL_METHODS = ("default", "tiny", "qwen-vl", "llava-1.5-7b")
"""Models that every method is composed with."""


def choices(group: str) -> list[str]:
    return sorted(file.stem for file in (CONF / group).glob("*.yaml"))


@pytest.fixture(scope="module")
def train() -> Iterator[Composer]:
    with opened("train") as composer:
        yield composer


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """A judge behind a service finds its key."""
    for name in ("OPENAI_API_KEY", "PERSPECTIVE_API_KEY"):
        monkeypatch.setenv(name, "set-for-this-test")


def overrides(group: str, choice: str) -> list[str]:
    """A command line on which the choice makes sense."""
    if group in SLOTS:
        beside = ["data@method.data=vlguard"] if group == "objective" and choice != "none" else []
        empty = ["objective@method.objective=none"] if (group, choice) == ("data", "none") else []
        none = [f"{slot}@method.{slot}=none" for slot in ("encoder",) if empty]
        return ["method=resa", *beside, *empty, *none, f"{group}@method.{group}={choice}"]
    if group == "respondent":
        slot = f"{ASKING}.respondent"
        return ["method=resa", f"+filter@{ASKING}=guard", f"respondent@{slot}={choice}", f"{slot}.model=m"]
    model = ["model.path=owner/name"] if (group, choice) == ("model", "default") else []
    spread = ["method=none"] if (group, choice) == ("engine", "openai") else []
    paths = ["judge=rules"] if (group, choice) == ("paths", "local") else []
    return [*spread, *paths, f"{group}={choice}", *model, *(NEEDED.get(group, []) if choice == "openai" else [])]


@pytest.mark.parametrize(
    ("group", "choice"),
    [
        (folder.name, choice)
        for folder in sorted(CONF.iterdir())
        if folder.is_dir() and folder.name not in PARTS
        for choice in choices(folder.name)
    ],
)
def test_a_choice_composes_and_builds(train: Composer, group: str, choice: str) -> None:
    config, mistakes = check(train, overrides(group, choice))
    assert not mistakes, "\n".join(map(str, mistakes))
    assert chosen(config, group)["name"] == choice or (group, choice) == ("model", "default")


def chosen(config: dict[str, Any], group: str) -> dict[str, Any]:
    """The node of a group's choice, where :func:`overrides` puts it."""
    path = f"method.{group}" if group in SLOTS else f"{ASKING}.respondent" if group == "respondent" else group
    return functools.reduce(operator.getitem, path.split("."), config)


@pytest.mark.parametrize("model", choices("model"))
def test_every_method_goes_with_every_model_and_deepspeed(train: Composer, model: str) -> None:
    """Every fifth method, another one each time, with models that differ in their path alone."""
    path = ["model.path=owner/name"] if model == "default" else []
    methods, place = list(enumerate(choices("method"))), choices("model").index(model)
    for number, method in methods if model in ALL_METHODS else methods[place % 5 :: 5]:
        stage = choices("deepspeed")[(number + len(model)) % len(choices("deepspeed"))]
        config, mistakes = check(train, [f"method={method}", f"model={model}", f"deepspeed={stage}", *path])
        trains = config["method"]["objective"]["name"] != "none"
        wrong = [mistake for mistake in mistakes if mistake.where != "deepspeed" or trains]
        assert not wrong, "\n".join(map(str, wrong))


def test_a_model_brings_its_training_and_the_command_line_has_the_last_word(train: Composer) -> None:
    assert train.compose(["model=tiny"]).choices["training"] == "tiny"
    assert train.compose(["model=qwen-vl"]).choices["training"] == "default"
    assert train.compose(["model=tiny", "training=default"]).choices["training"] == "default"


@pytest.mark.parametrize("tuned", choices("tuning"))
def test_a_method_brings_its_own_training_values(train: Composer, tuned: str) -> None:
    method, _, training = tuned.rpartition("-")
    config, mistakes = check(train, [f"method={method}", f"training={training}"])
    assert not mistakes, "\n".join(map(str, mistakes))
    changed, _ = check(train, [f"method={method}", f"training={training}", "training.learning_rate=0.25"])
    assert config["training"]["learning_rate"] != 0.25 == changed["training"]["learning_rate"]


def test_paths_bring_their_benchmark_and_judge(train: Composer) -> None:
    mini, local = train.compose(["paths=mini"]).choices, train.compose(["paths=local"]).choices
    assert (mini["benchmark"], mini["judge"]) == ("mini", "oracle")
    assert (local["benchmark"], local["judge"]) == ("multitrust", "rules")
    assert train.compose(["paths=mini", "judge=rules"]).choices["judge"] == "rules"


@pytest.mark.parametrize("table", choices("table"))
def test_every_point_of_a_table_composes(table: str) -> None:
    with opened("reproduce") as composer:
        config, mistakes = check(composer, [f"table={table}", *VALUES.get(table, [])])
    assert not mistakes, "\n".join(map(str, mistakes))
    for row in config["table"]["rows"]:
        with opened("train") as composer:
            _, mistakes = check(composer, [*row["overrides"], "model=tiny"])
        assert not mistakes, f"{row['label']}: " + "\n".join(map(str, mistakes))


@pytest.mark.parametrize("table", VALUES)
def test_a_table_that_needs_a_value_says_how_to_give_it(table: str) -> None:
    with opened("reproduce") as composer:
        _, mistakes = check(composer, [f"table={table}"])
    assert [mistake.where for mistake in mistakes] == ["table.values.model"]
    assert "table.values.model=..." in str(mistakes[0])
    assert f"conf/table/{table}.yaml" in str(mistakes[0])


def test_a_tables_values_reach_its_rows_and_no_others() -> None:
    given = ["table.values.model=owner/name", "table.values.base_url=http://127.0.0.1:8000/v1"]
    with opened("reproduce") as composer:
        rows = check(composer, ["table=teachers", *given])[0]["table"]["rows"]
    with opened("train") as composer:
        teachers = {row["label"]: check(composer, row["overrides"])[0]["teacher"] for row in rows}
    assert teachers["another model"]["model"] == "owner/name"
    assert teachers["another model"]["base_url"] == "http://127.0.0.1:8000/v1"
    assert [label for label, teacher in teachers.items() if teacher.get("base_url")] == ["another model"]


@pytest.mark.parametrize("door", ["evaluate", "build_data", "reproduce"])
def test_the_other_doors_compose(door: str) -> None:
    with opened(door) as composer:
        config, mistakes = check(composer, [])
    assert not mistakes
    assert config["paths"]["name"] == "mini"


def test_a_folder_of_ones_own_adds_choices(tmp_path: Path) -> None:
    (tmp_path / "method").mkdir()
    text = (CONF / "method" / "vlguard.yaml").read_text().replace("name: vlguard", "name: mine")
    (tmp_path / "method" / "mine.yaml").write_text(text)
    with opened("train", str(tmp_path)) as composer:
        config, mistakes = check(composer, ["method=mine"])
    assert not mistakes
    assert config["method"]["name"] == "mine"
