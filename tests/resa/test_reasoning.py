"""The thought format: what is rendered is read back, and whatever a model writes has a reading."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resa import reasoning
from resa.reasoning import CLOSE, OPEN, Reasoned

plain = st.text(max_size=60).filter(lambda text: OPEN not in text and CLOSE not in text)
spoken = plain.filter(lambda text: text.strip() != "")


@given(spoken, spoken)
def test_what_is_rendered_is_read_back(thought: str, answer: str) -> None:
    completion = reasoning.render(thought, answer)
    assert reasoning.parse(completion) == Reasoned(thought.strip(), answer.strip())
    assert reasoning.problems(completion) == ()


@given(plain)
def test_an_answer_without_a_thought_stays_as_it_is(answer: str) -> None:
    assert reasoning.parse(reasoning.render(None, answer)) == Reasoned(None, answer.strip())


@given(st.lists(st.sampled_from([OPEN, CLOSE, "a", " ", "\n", "I cannot"]), max_size=12).map("".join))
def test_anything_a_model_writes_has_a_reading(completion: str) -> None:
    reading = reasoning.parse(completion)
    assert CLOSE not in reading.answer
    assert OPEN not in reading.answer
    assert reading.closed or reading.thought is not None


@pytest.mark.parametrize(
    ("completion", "reading", "problems"),
    [
        ("<think>a sign", Reasoned("a sign", "", closed=False), ("unclosed",)),
        ("opened by the template</think>yes", Reasoned("opened by the template", "yes"), ()),
        ("<think>one</think><think>two", Reasoned("one\ntwo", "", closed=False), ("nested", "unclosed")),
        ("<think>one</think>a<think>two</think>b", Reasoned("oneatwo", "b"), ("nested",)),
        ("<think> </think>yes", Reasoned("", "yes"), ("empty_thought",)),
        ("<think>a</think> ", Reasoned("a", ""), ("empty_answer",)),
        ("yes", Reasoned(None, "yes"), ("no_thought",)),
    ],
)
def test_malformed_completions_are_read_and_named(
    completion: str, reading: Reasoned, problems: tuple[str, ...]
) -> None:
    assert reasoning.parse(completion) == reading
    assert reasoning.problems(completion) == problems


def test_an_unclosed_thought_is_an_incomplete_answer_and_not_an_empty_one() -> None:
    reading = reasoning.parse("<think>still thinking")
    assert not reading.closed
    assert reading.thought == "still thinking"


@pytest.mark.parametrize(("thought", "answer"), [("a </think> b", "yes"), ("a", "<think>"), ("  ", "yes")])
def test_what_could_not_be_read_back_is_not_rendered(thought: str, answer: str) -> None:
    with pytest.raises(ValueError, match=r"thought|answer"):
        reasoning.render(thought, answer)
