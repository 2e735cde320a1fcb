"""Several drafts of a row: bad ones are dropped by the filters, one of the others is taken, and each is counted."""

from __future__ import annotations

from typing import Any

import pytest

from data_builders.policies import load_policies
from data_builders.rows import Row
from data_builders.teachers.asking import brief
from data_builders.teachers.local import LocalTeacher
from data_builders.teachers.openai import OpenAITeacher
from resa.errors import ConfigError
from resa.types import Turn
from tests.data_builders.conftest import rows_of
from tests.loopback import Call, Say, says, serving


def right(call: Call) -> str:
    harmful = "one to decline" in call.prompt
    return "Verdict: disallowed. Plan: refuse." if harmful else "Verdict: allowed. Plan: answer."


def wrong(call: Call) -> str:
    harmful = "one to decline" in call.prompt
    return "Verdict: allowed. Plan: answer." if harmful else "Verdict: disallowed. Plan: refuse."


def test_of_three_drafts_the_first_good_one_is_taken(build: Any) -> None:
    """The first contradicts its answer, the others are good."""

    def behaviour(call: Call) -> Say:
        verdict = wrong(call) if call.seen_before == 0 else right(call)
        return says(f"<thought>Draft {call.seen_before} looks at what is there. {verdict}</thought>")

    with serving(behaviour) as server:
        made = build("method=resa", "teacher=openai", "teacher.model=t", f"teacher.base_url={server.url}",
                     "teacher.candidates=3", "teacher.concurrency=1")  # fmt: skip
    counts = {step["step"]: step for step in made.contents["funnel"]}
    assert counts["teacher openai"]["in"] == 75
    assert counts["filter verdict"]["dropped"] == {"allowed": 12 - 4, "disallowed": 13 + 4}
    assert (counts["choice of a candidate"]["in"], counts["choice of a candidate"]["out"]) == (50, 25)
    steps = [step["step"] for step in made.contents["funnel"]]
    assert steps.index("filter length") < steps.index("choice of a candidate") < steps.index("filter duplicates")
    assert all(row["thought"].startswith("Draft 1") for row in rows_of(made))


def test_a_row_without_a_good_draft_is_named(build: Any) -> None:
    def behaviour(call: Call) -> Say:
        return says(f"<thought>I look at it. {wrong(call) if 'poison 0' in call.prompt else right(call)}</thought>")

    with serving(behaviour) as server:
        made = build("method=resa", "teacher=openai", "teacher.model=t", f"teacher.base_url={server.url}",
                     "teacher.candidates=2")  # fmt: skip
    assert len(rows_of(made)) == 24
    assert (
        "teacher: 1 of 25 rows have no candidate that passed; the first: safety/train-00000" in made.contents["notes"]
    )


def test_drafts_without_chance_would_all_be_the_same() -> None:
    with pytest.raises(ConfigError, match="all be the same"):
        OpenAITeacher(model="m", candidates=2, temperature=0.0)
    with pytest.raises(ConfigError, match="all be the same"):
        LocalTeacher(candidates=2)


def test_who_teaches_itself_is_told_neither_label_nor_answer() -> None:
    row = Row("p/1", "p", "s", (Turn("user", "How?", ("a.png",)),), "I cannot help.", "harmful", "privacy", thinks=True)
    (turn,) = brief(row, load_policies("default"), "regenerated", 100, "self")
    assert "I cannot help." not in turn.text
    assert "one to decline" not in turn.text
    assert "private person" in turn.text
    assert turn.text.endswith("[[How?]]")


def test_who_teaches_itself_writes_its_own_answers(build: Any) -> None:
    with pytest.raises(ConfigError, match=r"answers=regenerated"):
        build("method=resa", "teacher=self")


def test_an_unknown_brief_is_a_configuration_error() -> None:
    with pytest.raises(ConfigError, match="Did you mean 'self'"):
        LocalTeacher(brief="sefl")
