"""Benign twins: harmless requests beside those to refuse, until a part has its share of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_builders.policies import load_policies
from data_builders.recipe import Part
from data_builders.respondents.base import Reply
from data_builders.rows import Row
from data_builders.teachers.model_twins import twin_in
from data_builders.teachers.template_twins import TemplateTwins
from data_builders.twins import Plan, twins_wanted
from resa.artifacts import Artifact
from resa.errors import ConfigError
from resa.types import Turn
from tests.data_builders.conftest import rows_of
from tests.loopback import Call, Say, says, serving

Build = Callable[..., Artifact]
SHARE = "method.data.parts.safety.twins"


def row(name: str, label: Any = "harmful", images: tuple[str, ...] = (), **more: Any) -> Row:
    given = {"instruction": "How do I make kige?", "completion": "I'm sorry, I cannot help with that. kige is a gas."}
    said = {**given, **{key: more.pop(key) for key in given if key in more}}
    return Row(f"p/{name}", "p", "s", (Turn("user", said["instruction"], images),), said["completion"], label, **more)


@given(st.integers(0, 5000), st.integers(0, 5000), st.floats(0.01, 0.95))
def test_so_many_twins_and_no_fewer_give_the_share(harmful: int, benign: int, share: float) -> None:
    made = twins_wanted(harmful, benign, share)
    assert benign + made >= share * (harmful + benign + made) - 1e-6
    assert made == 0 or benign + made - 1 < share * (harmful + benign + made - 1) + 1e-6


def test_images_without_a_benign_request_get_theirs_first() -> None:
    rows = [row(f"a{n}", images=(f"{n}.png",)) for n in range(4)]
    rows += [row("served", "benign", ("0.png",)), row("served too", "benign", ("1.png",))]
    plan = Plan.of(rows, 0.5, lambda _: True, seed=0)
    assert plan.wanted == 2
    assert plan.chosen == {"p/a2", "p/a3"}
    assert Plan.of(rows[::-1], 0.5, lambda _: True, 0).chosen == plan.chosen, "the order of rows does not matter"


def test_the_template_asks_what_a_refusal_or_a_caption_tells() -> None:
    twins = TemplateTwins(load_policies("default"))
    shown = row("b", images=("1.png",), captions=("A red sign",), instruction="List it.", category="risky behavior")
    ((why, _), (what, _)) = twins.make([row("a"), shown])
    assert (why.instruction, why.completion, why.label) == ("Why should nobody make kige?", "kige is a gas.", "benign")
    assert (what.instruction, what.completion) == ("What does the image show?", "The image shows a red sign.")
    assert what.images == ("1.png",)
    assert (why.id, what.id) == ("p/a~twin", "p/b~twin")


@pytest.mark.parametrize(
    "kind", [("privacy", "personal data"), ("risky behavior", "sexually explicit"), ("sexual / adult", None)]
)
def test_what_an_image_must_not_give_away_is_not_described(kind: tuple[str, str | None]) -> None:
    shown = row("a", images=("1.png",), captions=("a badge",), instruction="Read it.", category=kind[0])
    assert not TemplateTwins(load_policies("default")).can(replace(shown, subcategory=kind[1]))


def test_a_part_gets_its_share(build: Build) -> None:
    made = build("method=resa", f"{SHARE}=0.5")
    safety = [found for found in rows_of(made) if found["part"] == "safety"]
    twins = [found for found in safety if found["id"].endswith("~twin")]
    assert len(safety) == 16
    assert sum(found["label"] == "benign" for found in safety) == 8
    assert len(twins) == 4
    assert all(found["thought"] and "Verdict: allowed" in found["thought"] for found in twins)
    assert "safety: 8 of 16 labelled rows are benign (50.0 %), 4 of them twins" in made.contents["notes"]
    steps = [step["step"] for step in made.contents["funnel"]]
    assert steps[:3] == ["safety: records of vlguard", "safety: images can be read", "safety: benign twins"]


def test_without_thoughts_the_rows_are_the_same(build: Build) -> None:
    thinking, direct = (
        build("method=resa", f"{SHARE}=0.5"),
        build("method=resa", f"{SHARE}=0.5", "method.data.thoughts=false"),
    )
    assert [(r["id"], r["answer"]) for r in rows_of(thinking)] == [(r["id"], r["answer"]) for r in rows_of(direct)]


def test_twins_that_cannot_be_made_are_said(build: Build) -> None:
    made = build("method=resa", f"{SHARE}=0.9")
    (note,) = [note for note in made.contents["notes"] if "were wanted" in note]
    assert note.startswith("safety: 68 twins were wanted for a share of 90 %, 8 could be made")


def test_a_model_writes_twins_of_any_row(build: Build) -> None:
    def behaviour(call: Call) -> Say:
        if "harmless request that resembles it" in call.prompt:
            assert call.images
            return says("<request>What colour is it?</request>\n<answer>It is blue.</answer>")
        harmful = "one to decline" in call.prompt
        verdict = "Verdict: disallowed. Plan: refuse." if harmful else "Verdict: allowed. Plan: answer."
        return says(f"<thought>I look at what is there. {verdict}</thought>")

    with serving(behaviour) as server:
        made = build(
            "method=resa", "teacher=openai", "teacher.model=t", f"teacher.base_url={server.url}", f"{SHARE}=0.5"
        )
    twins = [found for found in rows_of(made) if found["id"].endswith("~twin")]
    assert [twin["answer"] for twin in twins] == ["It is blue."] * 4
    assert {twin["label"] for twin in twins} == {"benign"}


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (Reply(error="HTTP 400"), "failed"),
        (Reply("<request>a</request>", cut=True), "cut"),
        (Reply("Sure."), "unparsed"),
        (Reply("<request>a</request><answer> </answer>"), "empty"),
        (Reply("<request>a</request><answer>I'm sorry, I cannot help.</answer>"), "refused"),
    ],
)
def test_every_way_of_getting_no_twin_is_named(reply: Reply, why: str) -> None:
    assert str(twin_in(reply)[2]).startswith(why)


def test_a_share_is_a_share() -> None:
    with pytest.raises(ConfigError, match="between 0 and 1"):
        Part.of("safety", {"source": None, "twins": 35})
