"""The asking shared out over processes: together they ask what one would, and the dataset is the same."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from data_builders.rows import Row
from data_builders.shards import Shard
from resa.errors import ConfigError, DataError
from resa.types import Turn
from tests.data_builders.respondents.test_budgets import teach
from tests.data_builders.taught import CHECKOUT, build, command, dataset_of, environ, taught, write_vlguard
from tests.data_builders.teachers.test_openai_teacher import GOOD, rows
from tests.loopback import Server, says, serving

PICTURES = 30


def ask_at_once(server: Server, data: Path, store: Path, *shards: str) -> list[str]:
    """Run shards beside each other to their ends; returns what they printed."""
    started = [
        subprocess.Popen(command(server, data, store, f"shard={shard}"), cwd=CHECKOUT, env=environ(), text=True,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        for shard in shards
    ]  # fmt: skip
    said = [process.communicate(timeout=300)[0] for process in started]
    assert [process.returncode for process in started] == [0] * len(started), "\n".join(said)
    return said


def test_shards_ask_what_one_process_would_and_make_the_same_dataset(tmp_path: Path) -> None:
    """One of three is forgotten: that is an error with its remedy, before anything is asked."""
    data, one, three = write_vlguard(tmp_path / "data", PICTURES), tmp_path / "one", tmp_path / "three"
    with serving(taught) as server:
        whole = build(server, data, one)
        assert whole.returncode == 0, whole.stderr
        questions = sorted(call.prompt for _, call in server.calls)
        server.calls.clear()

        said = ask_at_once(server, data, three, "1/3", "3/3")
        assert re.search(r"shard 3/3: \d+ rows of this shard would stay", said[1])
        assert "nothing to do" not in said[1]
        assert not list((three / "dataset").glob("*/rows.jsonl")), "a shard builds nothing"
        asked = len(server.calls)
        assert 0 < asked < len(questions)

        forgotten = build(server, data, three)
        assert forgotten.returncode == 1
        assert "of the asking in shards, 2/3 never ran" in forgotten.stderr
        assert "remedy: run it with shard=2/3" in forgotten.stderr
        assert len(server.calls) == asked

        ask_at_once(server, data, three, "2/3")
        assert sorted(call.prompt for _, call in server.calls) == questions, "each is asked once, by one shard"
        merged = build(server, data, three)
        assert merged.returncode == 0, merged.stderr
        assert len(server.calls) == len(questions), "there was nothing left to ask"
        ask_at_once(server, data, three, "1/3")
        assert len(server.calls) == len(questions), "nor is there for a dataset that is there"
    assert dataset_of(three) == dataset_of(one)


def test_what_a_stopped_shard_left_is_asked_in_the_end(tmp_path: Path) -> None:
    given = rows(tmp_path, 30)
    with serving(lambda call: says(GOOD)) as server:
        teach(server, tmp_path, [row for row in given if Shard(1, 2).holds(row)][:3], Shard(1, 2))
        teach(server, tmp_path, [row for row in given if Shard(2, 2).holds(row)], Shard(2, 2))
        found = teach(server, tmp_path, given)
        assert len(server.calls) == 30
    assert [row.id for row, _ in found] == [row.id for row in given]


def test_one_shard_of_one_asks_all_that_missing_ones_did_not(tmp_path: Path) -> None:
    given = rows(tmp_path, 30)
    with serving(lambda call: says(GOOD)) as server:
        teach(server, tmp_path, [row for row in given if Shard(2, 8).holds(row)], Shard(2, 8))
        with pytest.raises(DataError, match=r"1/8, 3/8, 4/8, 5/8, 6/8, 7/8, 8/8 never ran"):
            teach(server, tmp_path, given)
        teach(server, tmp_path, given, Shard(1, 1))
        assert len(teach(server, tmp_path, given)) == 30
        assert len(server.calls) == 30


def test_a_shard_without_rows_is_not_missing(tmp_path: Path) -> None:
    given = rows(tmp_path, 6)
    with serving(lambda call: says(GOOD)) as server:
        teach(server, tmp_path, given[:3], Shard(1, 2))
        teach(server, tmp_path, [], Shard(2, 2))
        assert len(teach(server, tmp_path, given)) == 6


def asking(name: str, text: str) -> Row:
    return Row(name, "p", "s", (Turn("user", text, ("1.png",)),), "No.", "harmful", thinks=True, image_hashes=("h",))


def test_every_row_is_one_shards_and_the_same_question_the_same_shards() -> None:
    made = [asking(f"p/{number}", f"How {number % 50}?") for number in range(100)]
    for count in (1, 3, 8):
        shards = [Shard(number, count) for number in range(1, count + 1)]
        held = [[shard.number for shard in shards if shard.holds(row)] for row in made]
        assert all(len(numbers) == 1 for numbers in held)
        assert held[:50] == held[50:], "by what is asked, not by id"
        assert {numbers[0] for numbers in held} == set(range(1, count + 1))


@pytest.mark.parametrize("text", ["0/3", "4/3", "1", "1/0", "a/3", "-1/3"])
def test_what_is_no_shard_is_an_error(text: str) -> None:
    with pytest.raises(ConfigError, match=r"shard=1/8 \.\.\. shard=8/8"):
        Shard.of(text)


def test_the_name_of_a_shards_file_leads_back_to_it() -> None:
    assert Shard.of_writer(Shard(3, 8).writer) == Shard(3, 8)
    assert Shard.of_writer("notes") is Shard.of_writer(None) is None
    assert Shard.absent([Shard(1, 3).writer, Shard(3, 3).writer, "notes"]) == [Shard(2, 3)]
    assert Shard.absent([Shard(1, 2).writer, Shard(2, 2).writer, Shard(1, 9).writer]) == [], "those of two all ran"
    assert Shard.absent([]) == []
