"""A teacher behind a real server: it sees the image, its replies are kept, and a run goes on where it stopped."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from data_builders.rows import Row
from data_builders.teachers.base import Drafts, Workshop
from data_builders.teachers.openai import OpenAITeacher
from resa.errors import ConfigError, EngineError
from resa.types import Turn
from tests.loopback import Call, Say, Server, fails, says, serving
from tests.tiny_models import draw_image

GOOD = "<thought>I see a square. Verdict: disallowed. Plan: refuse.</thought>"


def rows(folder: Path, count: int) -> list[Row]:
    return [
        Row(f"p/{n}", "p", "s", (Turn("user", f"How {n}?", (draw_image(folder / f"{n}.png", n),)),), "I cannot help.",
            "harmful", "privacy", thinks=True, image_hashes=(f"hash{n}",))
        for n in range(count)
    ]  # fmt: skip


def teach(server: Server, folder: Path, given: list[Row], **options: Any) -> list[tuple[Row, str | None]]:
    settings: dict[str, Any] = {"model": "teacher", "base_url": server.url, "backoff_s": 0.01, "attempts": 2, **options}
    found: Drafts
    with OpenAITeacher(**settings).open(Workshop("kept", folder / "drafts", {}, {})) as rewrite:
        found = rewrite(given)
        return list(found)


def number(call: Call) -> int:
    return int(call.prompt.split("[[How ")[1].split("?")[0])


def test_the_image_itself_is_sent_and_the_thought_leads_to_the_kept_answer(tmp_path: Path) -> None:
    given = rows(tmp_path, 3)
    with serving(lambda call: says(GOOD)) as server:
        found = teach(server, tmp_path, given)
    assert [row.id for row, _ in found] == ["p/0", "p/1", "p/2"]
    assert all(reason is None and row.answer == "I cannot help." for row, reason in found)
    assert all(row.thought == "I see a square. Verdict: disallowed. Plan: refuse." for row, _ in found)
    sent = {number(call): base64.b64decode(call.images[0].partition(",")[2]) for _, call in server.calls}
    assert sent == {n: Path(row.images[0]).read_bytes() for n, row in enumerate(given)}


def test_a_reply_is_asked_for_once_ever(tmp_path: Path) -> None:
    given = rows(tmp_path, 4)
    with serving(lambda call: says(GOOD)) as server:
        first = teach(server, tmp_path, given)
        assert teach(server, tmp_path, given) == first
        assert len(server.calls) == 4
        teach(server, tmp_path, given, temperature=0.1)
        assert len(server.calls) == 8, "another temperature is another teacher"


def test_a_stopped_run_asks_only_for_what_is_missing(tmp_path: Path) -> None:
    given, down = rows(tmp_path, 8), True

    def behaviour(call: Call) -> Say:
        return fails(500) if down and number(call) % 2 else says(GOOD)

    with serving(behaviour) as server:
        with pytest.raises(EngineError, match=r"4 of 8 teacher calls failed"):
            teach(server, tmp_path, given)
        before, down = len(server.calls), False
        found = teach(server, tmp_path, given)
    asked = sorted(number(call) for _, call in server.calls[before:])
    assert asked == [1, 3, 5, 7]
    with serving(lambda call: says(GOOD)) as whole:
        undisturbed = teach(whole, tmp_path / "other", given, base_url=whole.url)
    assert found == undisturbed


def test_a_torn_log_loses_one_reply(tmp_path: Path) -> None:
    given = rows(tmp_path, 3)
    with serving(lambda call: says(GOOD)) as server:
        teach(server, tmp_path, given)
        (log,) = (tmp_path / "drafts").glob("*.jsonl")
        log.write_bytes(log.read_bytes()[:-20])
        teach(server, tmp_path, given)
        assert len(server.calls) == 4


def test_every_way_of_getting_no_draft_is_named(tmp_path: Path) -> None:
    replies = {
        0: says(GOOD),
        1: says("I'm sorry, I can't help with this request."),
        2: says(None, finish="content_filter"),
        3: says("<thought>too lo", finish="length"),
        4: fails(400, "bad request"),
        5: says("Certainly!"),
    }
    with serving(lambda call: replies[number(call)]) as server:
        found = teach(server, tmp_path, rows(tmp_path, 6))
        assert len(server.calls) == 6
        teach(server, tmp_path, rows(tmp_path, 6))
        assert len(server.calls) == 6, "what is final is not asked again"
    kinds = [str(reason).partition(":")[0] for _, reason in found]
    assert kinds == ["None", "refused", "failed", "cut", "failed", "unparsed"]
    assert "content filter" in str(found[2][1])


def test_failures_can_be_allowed_and_are_then_named(tmp_path: Path) -> None:
    with serving(lambda call: fails(503) if number(call) == 1 else says(GOOD)) as server:
        found = teach(server, tmp_path, rows(tmp_path, 3), tolerated_failures=1)
    assert [reason is None for _, reason in found] == [True, False, True]
    assert "HTTP 503" in str(found[1][1])


def test_the_key_is_never_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEACHER_KEY", "sk-very-secret")
    with serving(lambda call: says(GOOD)) as server:
        teach(server, tmp_path, rows(tmp_path, 1), api_key_env="TEACHER_KEY")
    kept = "".join(file.read_text() for file in (tmp_path / "drafts").iterdir())
    assert kept
    assert "sk-very-secret" not in kept


def test_it_needs_a_model() -> None:
    with pytest.raises(ConfigError, match=r"teacher\.model"):
        OpenAITeacher()


def test_a_whole_dataset_is_taught(build: Any, tmp_path: Path) -> None:
    def behaviour(call: Call) -> Say:
        harmful = "one to decline" in call.prompt
        words = "Verdict: disallowed. Plan: refuse." if harmful else "Verdict: allowed. Plan: answer."
        return says(f"<thought>I look at what is there. {words}</thought>")

    with serving(behaviour) as server:
        made = build("method=resa", "teacher=openai", "teacher.model=t", f"teacher.base_url={server.url}")
    counts = {step["step"]: (step["in"], step["out"]) for step in made.contents["funnel"]}
    assert counts["teacher openai"] == (25, 25)
    assert made.contents["teacher"]["brief"]
    texts = [json.loads(line) for line in (made.path / "rows.jsonl").read_text().splitlines()]
    assert len(texts) == 25
    assert not any("private person" in json.dumps(row) for row in texts), "the policy stays with the teacher"
