"""Balance: categories and harmful rows are bounded by a draw that depends on ids alone, and every row lost is named."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_builders.filters.balance import BalanceFilter
from data_builders.filters.base import Surroundings
from data_builders.filters.waiting import Waiting
from data_builders.rows import Row
from resa.errors import ConfigError, DataError
from resa.types import Turn
from tests.data_builders.conftest import composed


def row(name: str, label: Any = "harmful", category: str | None = "a", part: str = "safety", **fields: Any) -> Row:
    turns = (Turn("user", f"Prompt {name}\n„é“", ("x.png",)),)
    return Row(f"{part}/{name}", part, "test", turns, "Answer.", label, category, **fields)


def rows_of(**counts: int) -> list[Row]:
    """``a=3``: three harmful rows of category a; ``benign=2``: two benign ones that name it too."""
    made = [
        row(f"{name}{number}", *(("benign", "a") if name == "benign" else ("harmful", name)))
        for name, count in counts.items()
        for number in range(count)
    ]
    random.Random(0).shuffle(made)
    return made


def stay(config: BalanceFilter, rows: list[Row]) -> list[Row]:
    return [row for row, reason in config.sift(rows, Surroundings({})) if reason is None]


def kinds(rows: list[Row]) -> Counter[str]:
    return Counter("benign" if row.label == "benign" else str(row.category) for row in rows)


def test_nothing_is_bounded_by_default() -> None:
    rows = rows_of(a=9, b=1, benign=1)
    assert stay(BalanceFilter(), rows) == rows


def test_a_category_has_at_most_so_many_rows() -> None:
    rows = rows_of(a=9, b=2, benign=7)
    assert kinds(stay(BalanceFilter(max_rows=3), rows)) == {"a": 3, "b": 2, "benign": 7}
    reasons = Counter(reason for _, reason in BalanceFilter(max_rows=3).sift(rows, Surroundings({})))
    assert reasons == {None: 12, "category over its bound: 'a' has 9 rows, 3 stay": 6}


def test_a_category_has_at_most_such_a_share_of_what_stays() -> None:
    assert kinds(stay(BalanceFilter(max_share=0.5), rows_of(a=90, b=10, c=5))) == {"a": 15, "b": 10, "c": 5}


@given(
    st.lists(st.integers(1, 40), min_size=2, max_size=6),
    st.integers(0, 60),
    st.sampled_from([0.5, 0.6, 0.8]),
    st.sampled_from([None, 0.35, 0.5]),
)
def test_all_bounds_hold_at_once_in_what_stays(
    sizes: list[int], benign: int, share: float, least: float | None
) -> None:
    rows = rows_of(**{f"k{place}": size for place, size in enumerate(sizes)}, benign=benign)
    config = BalanceFilter(max_share=share, min_benign=least)
    try:
        left = kinds(stay(config, rows))
    except DataError:
        assert least
        assert benign < 12, "an even draw of a handful may leave a single category"
        return
    harmful = sum(count for name, count in left.items() if name != "benign")
    assert left["benign"] == benign
    assert all(count <= share * harmful + 1e-6 for name, count in left.items() if name != "benign")
    assert least is None or benign >= least * (benign + harmful) - 1e-6


def test_benign_rows_are_at_least_their_share_and_no_more_is_lost_than_must() -> None:
    rows = rows_of(a=60, b=40, benign=35)
    left = kinds(stay(BalanceFilter(min_benign=0.35), rows))
    assert (left["a"] + left["b"], left["benign"]) == (65, 35)
    assert "harmful rows over their bound: 100 for 35 benign ones" in {
        reason for _, reason in BalanceFilter(min_benign=0.35).sift(rows, Surroundings({}))
    }
    assert kinds(stay(BalanceFilter(min_benign=0.2), rows)) == kinds(rows)


def test_the_draw_depends_on_ids_and_seed_not_on_order() -> None:
    rows = rows_of(a=50, b=5)
    drawn = {row.id for row in stay(BalanceFilter(max_rows=10), rows)}
    assert {row.id for row in stay(BalanceFilter(max_rows=10), rows[::-1])} == drawn
    assert {row.id for row in stay(BalanceFilter(max_rows=10, seed=1), rows)} != drawn


def test_rows_keep_their_order_and_everything_they_hold() -> None:
    rows = rows_of(a=5, benign=5)
    rows[0] = row("whole", subcategory="s", thinks=True, captions=("c",), image_hashes=("h",), rejected="r")
    assert [row for row, _ in BalanceFilter(max_rows=2).sift(rows, Surroundings({}))] == rows


def test_only_the_named_parts_are_balanced() -> None:
    rows = [row(str(number), part=part) for number in range(6) for part in ("safety", "other")]
    left = stay(BalanceFilter(parts=["safety"], max_rows=2), rows)
    assert Counter(row.part for row in left) == {"safety": 2, "other": 6}


def test_rows_without_category_or_label_are_bounded_by_neither() -> None:
    rows = [row(f"n{number}", None, None) for number in range(5)] + rows_of(a=4, benign=4)
    left = stay(BalanceFilter(max_rows=1, min_benign=0.5), rows)
    assert len([row for row in left if row.label is None]) == 5


def test_bounds_that_no_rows_can_meet_are_errors() -> None:
    with pytest.raises(DataError, match="2 categories cannot each have at most 30%"):
        stay(BalanceFilter(max_share=0.3), rows_of(a=5, b=5))
    with pytest.raises(DataError, match="0 benign rows are too few"):
        stay(BalanceFilter(min_benign=0.35), rows_of(a=5))


@pytest.mark.parametrize("bad", [{"by": "label"}, {"max_share": 0}, {"min_benign": 1.0}, {"max_rows": 0}])
def test_bad_values_are_configuration_errors(bad: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        BalanceFilter(**bad)


def test_waiting_rows_come_back_as_often_as_asked() -> None:
    rows = rows_of(a=3)
    with Waiting() as waiting:
        for one in rows:
            waiting.add(one)
        assert list(waiting) == rows
        assert list(waiting) == rows


def test_it_joins_a_recipe_from_the_command_line(build: Any) -> None:
    more = ("+filter@method.data.filters.balance=balance", "method.data.filters.balance.min_benign=0.4")
    assert composed("method=resa", *more)["method"]["data"]["filters"]["balance"]["min_benign"] == 0.4
    made = build("method=resa", *more)
    step = next(step for step in made.contents["funnel"] if step["step"] == "filter balance")
    assert step["dropped"] == {"harmful rows over their bound": 1}
    assert made.contents["by_label"] == {"benign": 18, "harmful": 7}
