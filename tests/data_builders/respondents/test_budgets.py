"""A budget of calls, tokens or money stops the asking cleanly; a larger one goes on where it stopped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from data_builders.respondents.spending import Budget, Spending
from data_builders.rows import Row
from data_builders.shards import Shard
from data_builders.teachers.base import Workshop
from data_builders.teachers.openai import OpenAITeacher
from resa.errors import ConfigError, EngineError
from tests.data_builders.taught import build, dataset_of, logged, taught, write_vlguard
from tests.data_builders.teachers.test_openai_teacher import GOOD, number, rows
from tests.loopback import Call, Say, Server, fails, says, serving

TOKENS = 10
"""Of a reply of the loopback server: 7 in, 3 out."""
PRICES = {"price_in": 100_000.0, "price_out": 100_000.0}
"""A reply costs 1."""
CONCURRENCY = 4


def teach(server: Server, folder: Path, given: list[Row], shard: Shard | None = None, **options: Any) -> list[Any]:
    settings: dict[str, Any] = {"model": "teacher", "base_url": server.url, "attempts": 1, "concurrency": CONCURRENCY}
    shop = Workshop("kept", folder / "drafts", {}, {}, progress=True, writer=shard.writer if shard else None)
    with OpenAITeacher(**{**settings, **options}).open(shop) as rewrite:
        return list(rewrite(given))


def kept(folder: Path) -> int:
    return len(logged(folder).splitlines())


@pytest.mark.parametrize(
    ("limit", "larger", "most"),
    [
        ({"max_calls": 10}, {"max_calls": 20}, 10),
        ({"max_tokens_spent": 10 * TOKENS}, {"max_tokens_spent": 20 * TOKENS}, 10 + CONCURRENCY - 1),
        ({"max_cost": 10.0, **PRICES}, {"max_cost": 20.0, **PRICES}, 10 + CONCURRENCY - 1),
    ],
    ids=["calls", "tokens", "money"],
)
def test_a_budget_stops_cleanly_and_a_larger_one_asks_only_the_rest(
    limit: dict[str, Any], larger: dict[str, Any], most: int, tmp_path: Path
) -> None:
    """What tokens a call takes is known when it has ended: those in flight then come on top."""
    given, name = rows(tmp_path, 40), next(iter(limit))
    with serving(lambda call: says(GOOD)) as server:
        with pytest.raises(EngineError) as stopped:
            teach(server, tmp_path, given, **limit)
        first = [number(call) for _, call in server.calls]
        assert 10 <= len(first) <= most
        assert kept(tmp_path) == len(first), "what was in flight is kept too"
        assert stopped.value.what.startswith(f"the budget is reached: {name}={limit[name]:g}; {len(first)} of 40")
        assert f"{len(first)} calls, {7 * len(first)} tokens in, {3 * len(first)} out" in stopped.value.what
        assert server.url in str(stopped.value.where)
        assert f"raise teacher.{name} and run the same command again" in str(stopped.value.remedy)

        with pytest.raises(EngineError, match=f"{name}={larger[name]:g}"):
            teach(server, tmp_path, given, **larger)
        found = teach(server, tmp_path, given)
        assert sorted(number(call) for _, call in server.calls) == list(range(40)), "each is asked once, over all runs"
    with serving(lambda call: says(GOOD)) as other:
        assert found == teach(other, tmp_path / "other", given)


def test_a_budget_that_just_suffices_is_not_reached(tmp_path: Path) -> None:
    with serving(lambda call: says(GOOD)) as server:
        assert len(teach(server, tmp_path, rows(tmp_path, 8), max_calls=8)) == 8
        assert len(teach(server, tmp_path, rows(tmp_path, 8), max_calls=8)) == 8, "and a later run asks nothing"
        assert len(server.calls) == 8


def test_calls_that_are_asked_again_take_nothing_of_a_budget(tmp_path: Path) -> None:
    down = True

    def behaviour(call: Call) -> Say:
        return fails(500) if down and number(call) % 2 else says(GOOD)

    given = rows(tmp_path, 8)
    with serving(behaviour) as server:
        with pytest.raises(EngineError, match="4 of 8 teacher calls failed"):
            teach(server, tmp_path, given, max_calls=8)
        down = False
        assert len(teach(server, tmp_path, given, max_calls=8)) == 8


def test_the_line_says_yield_and_cost_and_a_file_the_totals(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = rows(tmp_path, 8)

    def behaviour(call: Call) -> Say:
        return says("I'm sorry, but I cannot help with that.") if number(call) == 1 else says(GOOD)

    with serving(behaviour) as server:
        with pytest.raises(EngineError):
            teach(server, tmp_path, given, max_calls=4, concurrency=1, **PRICES)
        told = capsys.readouterr().out.splitlines()
        assert told == ["teacher openai: 4/8, 75.0 % usable, 4 calls, 28 tokens in, 12 out, cost 4.00"]
        teach(server, tmp_path, given, **PRICES)
    (told,) = capsys.readouterr().out.splitlines()
    now, _, together = told.partition("; with earlier runs ")
    assert now == "teacher openai: 4/4, 100.0 % usable, 4 calls, 28 tokens in, 12 out, cost 4.00"
    assert together == "8 calls, 56 tokens in, 24 out, cost 8.00"
    (file,) = (tmp_path / "drafts").glob("*.spent.json")
    spent = {"calls": 8, "failures": 0, "tokens_in": 56, "tokens_out": 24, "cost": pytest.approx(8.0)}
    assert json.loads(file.read_text()) == spent


def test_shards_share_a_budget(tmp_path: Path) -> None:
    """Five calls of an earlier run count for both, in halves rounded up: of 20 calls 7 are left for each."""
    given = rows(tmp_path, 60)
    with serving(lambda call: says(GOOD)) as server:
        with pytest.raises(EngineError):
            teach(server, tmp_path, given[:10], max_calls=5)
        for shard in (Shard(1, 2), Shard(2, 2)):
            before, own = len(server.calls), [row for row in given if shard.holds(row)]
            with pytest.raises(EngineError, match=r"max_calls=10, the share of shard \d/2"):
                teach(server, tmp_path, own, shard, max_calls=20)
            assert len(server.calls) - before == 7
        assert kept(tmp_path) == len(server.calls) == 19


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_the_shares_of_a_budget_make_up_the_whole(count: int) -> None:
    budget = Budget(max_calls=20, max_tokens_spent=21 * count, max_cost=5.0, **PRICES)
    shares = [budget.split(number, count) for number in range(1, count + 1)]
    assert sum(share.max_calls or 0 for share in shares) == 20
    assert sum(share.max_tokens_spent or 0 for share in shares) == 21 * count
    assert sum(share.max_cost or 0 for share in shares) == pytest.approx(5.0)
    assert Budget().split(1, count).reached(Spending(10**9, 0, 10**12, 10**12)) is None


@pytest.mark.parametrize("wrong", [{"max_calls": -1}, {"max_cost": 1.0}, {"max_cost": 1.0, "price_in": 1.0}])
def test_a_budget_that_cannot_be_kept_is_a_configuration_error(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"teacher\.max_"):
        OpenAITeacher(model="m", **wrong)


def test_the_command_stops_with_one_message_and_goes_on(tmp_path: Path) -> None:
    data = write_vlguard(tmp_path / "data", 30)
    with serving(taught) as server:
        stopped = build(server, data, tmp_path / "store", "teacher.max_calls=20")
        assert stopped.returncode == 1
        assert stopped.stderr.startswith("error: the budget is reached: max_calls=20; ")
        assert "remedy: raise teacher.max_calls and run the same command again" in stopped.stderr
        assert "Traceback" not in stopped.stderr
        assert len(server.calls) == 20 == kept(tmp_path / "store")
        done = build(server, data, tmp_path / "store", "teacher.max_calls=1000")
        assert done.returncode == 0, done.stderr
        asked = [call.prompt for _, call in server.calls]
        assert len(asked) == len(set(asked)), "nothing is asked twice"
        whole = build(server, data, tmp_path / "whole")
        assert whole.returncode == 0, whole.stderr
        assert len(server.calls) == 2 * len(asked)
    assert dataset_of(tmp_path / "store") == dataset_of(tmp_path / "whole")
