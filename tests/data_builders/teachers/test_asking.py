"""What a model teacher is told, and how its reply is read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_builders.policies import load_policies
from data_builders.rows import Row
from data_builders.teachers.asking import Reply, brief, completion_of
from data_builders.teachers.base import Answers
from resa.reasoning import problems
from resa.types import Turn

ROW = Row("p/1", "p", "s", (Turn("user", "How?", ("a.png",)),), "I cannot help.", "harmful", "privacy", thinks=True)


@pytest.mark.parametrize("answers", ["kept", "revised", "regenerated"])
def test_the_brief_holds_policy_and_image_and_the_reference_only_where_it_may(answers: Answers) -> None:
    (turn,) = brief(ROW, load_policies("default"), answers, 100)
    assert turn.images == ("a.png",)
    assert "private person" in turn.text
    assert ("I cannot help." in turn.text) == (answers != "regenerated")
    assert ("<answer>" in turn.text) == (answers != "kept")
    assert turn.text.endswith("[[How?]]")


def test_a_thought_is_put_before_the_kept_answer() -> None:
    reply = Reply("<think>own musing</think>\nSure:\n<thought>I see.</thought> bye")
    assert completion_of(reply, "I cannot help.", "kept") == ("<think>I see.</think>\nI cannot help.", None)


def test_a_new_answer_replaces_the_old_one() -> None:
    reply = Reply("<thought>I see.</thought>\n<answer>No.</answer>")
    assert completion_of(reply, "I cannot help.", "revised") == ("<think>I see.</think>\nNo.", None)


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (Reply("I'm sorry, I can't write that."), "refused"),
        (Reply("Here you are."), "unparsed"),
        (Reply(""), "empty"),
        (Reply("<thought>I see", cut=True), "cut"),
        (Reply(error="HTTP 400: no"), "failed"),
    ],
)
def test_no_draft_has_a_name(reply: Reply, why: str) -> None:
    _, reason = completion_of(reply, "x", "kept")
    assert str(reason).partition(":")[0] == why


@pytest.mark.parametrize(
    ("text", "fault"),
    [("<thought>I see", "unclosed"), ("<thought></thought>", "empty_thought"),
     ("<thought>a</thought><thought>b</thought>", "nested"), ("<thought>a <think>b</think></thought>", "nested")],
)  # fmt: skip
def test_a_broken_form_reaches_the_parse_filter(text: str, fault: str) -> None:
    completion, reason = completion_of(Reply(text), "reference", "kept")
    assert reason is None
    assert fault in problems(completion)


pieces = st.lists(
    st.sampled_from(["<thought>", "</thought>", "<answer>", "</answer>", "<think>", "</think>", "ab", " "])
)


@given(pieces, st.sampled_from(["kept", "revised"]))
def test_a_reply_is_a_good_completion_or_is_seen_to_be_none(parts: list[str], answers: Answers) -> None:
    completion, reason = completion_of(Reply("".join(parts)), "the reference", answers)
    if reason is None and not problems(completion):
        assert completion.startswith("<think>")
        assert "<thought>" not in completion
        assert "<answer>" not in completion
