"""A task's limit counts the answer; a thought has tokens of its own."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from eval.engines.budget import AnswerBudget
from resa.reasoning import CLOSE, OPEN

WORDS = {0: OPEN, 1: CLOSE, 2: "a", 3: "b"}


def decode(ids: Sequence[int]) -> str:
    return "".join(WORDS[token] for token in ids)


def stops_at(ids: Sequence[int], *, limit: int, thought: int, opened: bool = False) -> int:
    """The length at which a model that would go on with ``ids`` is stopped."""
    budget = AnswerBudget([limit], thought, decode, opened)
    for length in range(1, len(ids) + 1):
        if budget.is_spent(0, length, ids[:length]):
            return length
    return len(ids) + 1


def test_an_answer_without_a_thought_gets_the_official_limit_and_no_more() -> None:
    assert stops_at([2] * 50, limit=5, thought=20) == 5


def test_a_thought_does_not_eat_the_answers_tokens() -> None:
    assert stops_at([0, 3, 3, 3, 3, 3, 3, 1] + [2] * 50, limit=5, thought=20) == 8 + 5


def test_a_thought_that_closed_before_the_limit_is_counted_too() -> None:
    assert stops_at([0, 3, 1] + [2] * 50, limit=10, thought=20) == 3 + 10


def test_a_thought_that_never_closes_ends_with_its_own_allowance() -> None:
    assert stops_at([0] + [3] * 50, limit=5, thought=20) == 25


def test_a_thought_opened_by_the_chat_template_counts_as_one() -> None:
    assert stops_at([3, 3, 3, 3, 3, 3, 1] + [2] * 50, limit=5, thought=20, opened=True) == 7 + 5


def test_a_tag_in_the_middle_of_an_answer_earns_nothing() -> None:
    assert stops_at([2, 0] + [3] * 50, limit=5, thought=20) == 5


@given(st.lists(st.sampled_from(list(WORDS)), max_size=60), st.integers(1, 10), st.integers(0, 20))
def test_no_completion_is_stopped_before_the_limit_or_later_than_both_allowances(
    ids: list[int], limit: int, thought: int
) -> None:
    stopped = stops_at(ids, limit=limit, thought=thought)
    assert stopped >= min(limit, len(ids) + 1)
    assert stopped <= limit + thought or stopped > len(ids)
