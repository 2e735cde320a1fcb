"""Filters that ask a model, with a real server behind them: what is asked, how it is read, what becomes of a row."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_builders.filters.base import Surroundings
from data_builders.filters.guard import GuardFilter, read_verdict
from data_builders.filters.judge import JudgeFilter, read_marks
from data_builders.respondents.base import Reply
from data_builders.respondents.endpoint import EndpointRespondent
from data_builders.respondents.local import LocalRespondent
from data_builders.rows import Row
from resa.errors import ConfigError, EngineError
from resa.types import Turn
from tests.data_builders.conftest import composed, rows_of
from tests.loopback import Call, Say, fails, says, serving
from tests.tiny_models import draw_image

THOUGHT, ANSWER = "I see a sign. Verdict: disallowed.", "I'm sorry, but I cannot help."
CRITERIA = {"compliance": "does it keep to the policy", "relevance": "is it to the point"}


def row(folder: Path, number: int = 0, thought: str = THOUGHT, answer: str = ANSWER, **fields: Any) -> Row:
    image = draw_image(folder / f"{number}.png", number)
    prompt, said = (Turn("user", f"How {number}?", (image,)),), f"<think>{thought}</think>\n{answer}"
    kind: dict[str, Any] = {"label": "harmful", "category": "privacy", "thinks": True}
    return Row(f"p/{number}", "p", "s", prompt, said, image_hashes=(f"hash{number}",), **kind, **fields)


def sifted(filter_: GuardFilter | JudgeFilter, rows: list[Row], folder: Path) -> list[tuple[Row, str | None]]:
    return list(filter_.sift(rows, Surroundings({}, folder / "drafts")))


def asking(url: str, **options: Any) -> EndpointRespondent:
    return EndpointRespondent(model="m", base_url=url, backoff_s=0.01, **{"attempts": 2, **options})


def judges_part(call: Call) -> str:
    return "thought" if f"[[{THOUGHT}" in call.prompt else "answer"


@pytest.mark.parametrize(
    ("said", "verdict"),
    [
        ("safe", (True, "")),
        ("\n\nsafe", (True, "")),
        ("Safe.", (True, "")),
        ("unsafe\nS1,S2", (False, "S1,S2")),
        ("\n\nunsafe\nS9", (False, "S9")),
        ("**Unsafe** (it says how)", (False, "it says how)")),
        ("Safety: Unsafe\nCategories: Violent", (False, "Violent")),
        ("Safety: Safe\nCategories: None", (True, "")),
        ("<think>Is it safe? no</think>unsafe", (False, "")),
        ("safe to say that this is unsafe", None),
        ("This is safe", None),
        ("safely", None),
        ("<think>it is safe", None),
        ("", None),
    ],
)
def test_a_verdict_is_the_first_word(said: str, verdict: tuple[bool, str] | None) -> None:
    assert read_verdict(Reply(said)) == verdict


@given(st.text())
def test_whatever_is_said_is_a_verdict_or_none(said: str) -> None:
    found = read_verdict(Reply(said))
    assert found is None or "safe" in said.lower()
    assert read_verdict(Reply(said, error="no")) is None


def test_thought_and_answer_are_asked_about_separately_with_the_image(tmp_path: Path) -> None:
    given_ = row(tmp_path)
    with serving(lambda call: says("safe")) as server:
        assert sifted(GuardFilter(asking(server.url)), [given_], tmp_path) == [(given_, None)]
        prompts = [call.prompt for _, call in server.calls]
        assert len(prompts) == 2
        assert sum(f"[[{THOUGHT}]]" in prompt for prompt in prompts) == 1
        assert sum(f"[[{ANSWER}]]" in prompt for prompt in prompts) == 1
        assert all("[[How 0?]]" in prompt for prompt in prompts)
        sent = [base64.b64decode(call.images[0].partition(",")[2]) for _, call in server.calls]
        assert sent == [Path(given_.images[0]).read_bytes()] * 2
        sifted(GuardFilter(asking(server.url), images=False), [given_], tmp_path)
        assert [call.images for _, call in server.calls[2:]] == [(), ()]


@pytest.mark.parametrize("part", ["thought", "answer"])
def test_the_unsafe_part_is_named(tmp_path: Path, part: str) -> None:
    with serving(lambda call: says("unsafe\nS2" if judges_part(call) == part else "safe")) as server:
        ((_, why),) = sifted(GuardFilter(asking(server.url)), [row(tmp_path)], tmp_path)
    assert why == f"unsafe {part}: S2"


def test_a_guard_with_a_template_of_its_own_gets_the_conversation(tmp_path: Path) -> None:
    image = draw_image(tmp_path / "0.png", 0)
    turns = (
        Turn("system", "Be brief."),
        Turn("user", "Hello", (image,)),
        Turn("assistant", "Hi."),
        Turn("user", "How?"),
    )
    given_ = Row("p/0", "p", "s", turns, f"<think>{THOUGHT}</think>\n{ANSWER}", thinks=True, image_hashes=("h",))
    with serving(lambda call: says("unsafe\nS1" if call.prompt == THOUGHT else "safe")) as server:
        ((_, why),) = sifted(GuardFilter(asking(server.url, concurrency=1), wording="chat"), [given_], tmp_path)
        messages = [call.body["messages"] for _, call in server.calls]
    assert why == "unsafe thought: S1"
    assert [[message["role"] for message in each] for each in messages] == [["user", "assistant"] * 2] * 2
    assert messages[0][0]["content"][-1]["text"] == "Be brief.\n\nHello"
    assert [each[-1]["content"] for each in messages] == [THOUGHT, ANSWER]


def test_with_every_candidate_one_that_fails_takes_the_others_along(tmp_path: Path) -> None:
    candidates = [row(tmp_path, 1, answer=f"{ANSWER} {n}", candidate=n) for n in range(3)]
    others = [row(tmp_path, 2, candidate=n) for n in range(2)]
    with serving(lambda call: says("unsafe\nS1" if f"{ANSWER} 1]]" in call.prompt else "safe")) as server:
        respondent = asking(server.url)
        alone = [why for _, why in sifted(GuardFilter(respondent), [*candidates, *others], tmp_path)]
        every = GuardFilter(respondent, every_candidate=True)
        together = [why for _, why in sifted(every, [*candidates, *others], tmp_path)]
    assert alone == [None, "unsafe answer: S1", None, None, None]
    failing = "another candidate fails: unsafe answer: S1"
    assert together == [failing, "unsafe answer: S1", failing, None, None]


def test_what_is_no_verdict_is_a_reason_of_its_own_and_may_be_kept(tmp_path: Path) -> None:
    around = Surroundings({}, tmp_path / "drafts")
    with serving(lambda call: says("Let me see") if judges_part(call) == "thought" else says("safe")) as server:
        strict, lenient = (GuardFilter(asking(server.url), unreadable=way) for way in ("drop", "keep"))
        assert [why for _, why in strict.sift([row(tmp_path)], around)] == ["no verdict on the thought: 'Let me see'"]
        assert [why for _, why in lenient.sift([row(tmp_path)], around)] == [None]
    assert around.remarks == {"guard: kept with no verdict on the thought": 1}


def test_a_refused_request_is_no_verdict_and_a_dead_endpoint_stops_the_run(tmp_path: Path) -> None:
    with serving(lambda call: fails(400, "too long")) as server:
        ((_, why),) = sifted(GuardFilter(asking(server.url)), [row(tmp_path)], tmp_path)
    assert str(why).startswith("no verdict on the thought: failed: HTTP 400")
    down = True

    def behaviour(call: Call) -> Say:
        return fails(500) if down and judges_part(call) == "answer" else says("safe")

    rows = [row(tmp_path, n) for n in range(4)]
    with serving(behaviour) as server:
        guard = GuardFilter(asking(server.url))
        with pytest.raises(EngineError, match=r"4 of 8 respondent calls failed|1 of 5 respondent calls failed"):
            sifted(guard, [*rows[:3], row(tmp_path, 3)], tmp_path)
        before, down = len(server.calls), False
        assert [why for _, why in sifted(guard, rows, tmp_path)] == [None] * 4
        assert {judges_part(call) for _, call in server.calls[before:]} == {"answer"}, "thoughts were answered for"
        before = len(server.calls)
        sifted(GuardFilter(asking(server.url, concurrency=2, timeout_s=7.0, attempts=1)), rows, tmp_path)
        assert len(server.calls) == before, "how patiently it is asked changes no verdict"


def test_a_model_in_this_process_can_be_the_guard(tmp_path: Path, tiny_qwen: Path) -> None:
    """A random model: it gives no verdict, but it is asked, in both ways, and its replies are kept."""
    respondent = LocalRespondent(model=str(tiny_qwen), max_new_tokens=4)
    for wording in ("guard", "chat"):
        found = sifted(GuardFilter(respondent, wording=wording), [row(tmp_path, n) for n in range(2)], tmp_path)
        assert all(str(why).startswith("no verdict on the thought") for _, why in found)
    (log,) = (tmp_path / "drafts").glob("guard-local-*.jsonl")
    assert len(log.read_text().splitlines()) == 2 * 2 * 2, "rows, parts and wordings"


@pytest.mark.parametrize(
    ("said", "marks"),
    [
        ('{"compliance": 9, "relevance": 10}', [9, 10]),
        ('Here you are:\n```json\n{"Relevance": 10, "compliance": 8.5, "overall": 3}\n```', [8.5, 10]),
        ('<think>{"compliance": 1}</think>{"compliance": 9, "relevance": 9}', [9, 9]),
        ("compliance: 7\nrelevance: 10/10", [7, 10]),
        ("- **Compliance**: 7\n- **Relevance**: 10", [7, 10]),
        ('{"compliance": 9}', None),
        ('{"compliance": 9, "relevance": 11}', None),
        ('{"compliance": 9, "relevance": 0}', None),
        ('{"compliance": 9, "relevance": true}', None),
        ('{"compliance": 9, "relevance": "10"}', None),
        ('{"compliance": 9, "compliance": 3, "relevance": 9}', None),
        ("compliance: 9\ncompliance: 3\nrelevance: 9", None),
        ("compliance: 9 of what is asked\nrelevance: 9", None),
        ("All good, 10 out of 10.", None),
        ("", None),
    ],
)
def test_marks_are_read_strictly(said: str, marks: list[float] | None) -> None:
    expected = None if marks is None else dict(zip(CRITERIA, marks, strict=True))
    assert read_marks(Reply(said), list(CRITERIA)) == expected


@given(
    st.dictionaries(st.sampled_from(["a", "b", "c"]), st.one_of(st.integers(-2, 13), st.text(max_size=3), st.none()))
)
def test_marks_are_all_there_and_in_range_or_there_are_none(given_: dict[str, Any]) -> None:
    found = read_marks(Reply(json.dumps(given_)), ["a", "b"])
    right = all(isinstance(given_.get(name), int) and 1 <= given_[name] <= 10 for name in "ab")
    assert (found is not None) == right


def judge(url: str, **options: Any) -> JudgeFilter:
    return JudgeFilter(asking(url), criteria=CRITERIA, of_images={"grounded": "is it in the image"}, **options)


def test_each_mark_must_reach_the_threshold_and_the_mean_is_the_score(tmp_path: Path) -> None:
    def behaviour(call: Call) -> Say:
        marks = {"How 0?": (10, 9, 9), "How 1?": (10, 8, 10), "How 2?": (10, 10, 10)}
        given_ = next(each for prompt, each in marks.items() if f"[[{prompt}]]" in call.prompt)
        return says(json.dumps(dict(zip((*CRITERIA, "grounded"), given_, strict=True))))

    rows = [row(tmp_path, n) for n in range(3)]
    with serving(behaviour) as server:
        found = sifted(judge(server.url), rows, tmp_path)
        assert [why for _, why in found] == [None, "relevance below 9: compliance 10, relevance 8, grounded 10", None]
        assert [round(each.score or 0, 2) for each, _ in found] == [9.33, 9.33, 10]
        assert [each.score for each, _ in sifted(judge(server.url, score="min"), rows, tmp_path)] == [9, 8, 10]
        assert len(server.calls) == 3, "neither score nor threshold changes a mark"
        assert "private person" in server.calls[0][1].prompt, "the policy of the row's category"
        assert server.calls[0][1].images


def test_only_what_a_row_has_is_marked(tmp_path: Path) -> None:
    plain = Row("p/1", "p", "s", (Turn("user", "How?"),), ANSWER)
    with serving(lambda call: says('{"compliance": 9, "relevance": 9}')) as server:
        assert [why for _, why in sifted(judge(server.url), [plain], tmp_path)] == [None]
        found = sifted(judge(server.url), [row(tmp_path)], tmp_path)
    assert str(found[0][1]).startswith("no marks: "), "a mark for being grounded is missing"


@pytest.mark.parametrize(
    "wrong",
    [{"criteria": {}}, {"threshold": 11.0}, {"score": "most"}, {"criteria": {"two words": "x"}}, {"unreadable": "ask"}],
)
def test_a_bad_judge_is_a_configuration_error(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        JudgeFilter(asking("http://127.0.0.1:1/v1"), **{"criteria": CRITERIA, **wrong})
    with pytest.raises(ConfigError, match="Did you mean 'guard'"):
        GuardFilter(asking("http://127.0.0.1:1/v1"), wording="gaurd")


def told(url: str) -> list[str]:
    """What a user adds to the command line."""
    on = []
    for name in ("judge", "guard"):
        node = f"method.data.filters.{name}"
        on += [f"+filter@{node}={name}", f"{node}.respondent.model=m", f"{node}.respondent.base_url={url}"]
    return on


def test_one_override_each_switches_them_on_in_their_place(build: Callable[..., Any]) -> None:
    def behaviour(call: Call) -> Say:
        if "Mark each" in call.prompt:
            names = ["compliance", "relevance", "accuracy", *(["grounded"] if call.images else [])]
            mark = 5 if "square 3 at people" in call.prompt else 10
            return says(json.dumps(dict.fromkeys(names, mark)))
        return says("unsafe\nS1" if "poison 0" in call.prompt and "Plan: refuse" in call.prompt else "safe")

    with serving(behaviour) as server:
        made = build("method=resa", *told(server.url))
        calls = len(server.calls)
        again = build("method=resa", *told(server.url), "method.data.filters.guard.respondent.concurrency=2",
                      "method.data.filters.judge.respondent.timeout_s=5")  # fmt: skip
        assert (again.reused, len(server.calls)) == (True, calls), "transport is no part of the key"
        stricter = build("method=resa", *told(server.url), "method.data.filters.judge.threshold=10")
        assert (stricter.reused, len(server.calls)) == (False, calls), "what was said is not asked again"
        build("method=resa", *told(server.url), "method.data.filters.guard.respondent.temperature=0.5")
        assert len(server.calls) > calls, "another temperature is another guard"
    steps = [step["step"] for step in made.contents["funnel"] if step["step"].startswith("filter")]
    order = ["parse", "leaks", "verdict", "refusal", "guard", "judge", "length", "duplicates", "overlap"]
    assert [step for step in steps if step[7:] in order] == [f"filter {name}" for name in order]
    counts = {step["step"]: step for step in made.contents["funnel"]}
    assert counts["filter guard"]["dropped"] == {"unsafe thought": 1}
    assert counts["filter judge"]["dropped"] == {"compliance below 9": 1}
    assert not any("score" in row for row in rows_of(made))


def test_the_guard_can_be_one_in_this_process() -> None:
    node = "method.data.filters.guard"
    config = composed("method=resa", f"+filter@{node}=guard", f"respondent@{node}.respondent=local")
    chosen = config["method"]["data"]["filters"]["guard"]
    assert chosen["respondent"]["_target_"].endswith("LocalRespondent")
