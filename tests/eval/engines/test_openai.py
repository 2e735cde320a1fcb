"""Engine ``openai`` against a real server that misbehaves: no sample is lost, no error becomes an answer."""

from __future__ import annotations

import base64
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from eval.engines.openai import OpenAIEngine, OpenAIGenerator
from resa.errors import ConfigError, EngineError
from resa.generation import answer
from resa.types import Response, Sample, conversation_of
from tests.loopback import Call, Say, fails, says, serving
from tests.tiny_models import draw_image

FAST: dict[str, Any] = {"model": "m", "backoff_s": 0.01, "max_wait_s": 0.05, "timeout_s": 0.5, "concurrency": 8}


def sample(name: str, images: tuple[str, ...] = ()) -> Sample:
    return Sample(name, "T1", "v", conversation_of(name, images), None, 20)


def ask(url: str, samples: list[Sample], **settings: Any) -> list[Response]:
    with OpenAIEngine(base_url=url, **{**FAST, **settings}).open({}, None) as generator:
        return answer(generator, samples)


def faulty(call: Call) -> Say:
    """Misbehaves twice by the prompt's last digit, then answers; 8 stays broken, 9 never answers."""
    kind = int(call.prompt[-1])
    if kind == 8:
        return fails(500, "sorry, I cannot help")  # the words of a refusal in an error
    if kind == 9:
        return says("too late", finish="stop") if call.seen_before > 50 else Say(wait=30)
    if call.seen_before >= 2 or kind == 0:
        return says(f"answer to {call.prompt}")
    broken = Say(body='{"choices": [{"message": {"con')
    return {
        1: fails(429, retry_after="0.02"),
        2: fails(500),
        3: Say(wait=30),
        4: broken,
        5: Say(body=says("half an answer that is long enough to cut").body, cut=True),
        6: says(None),
        7: Say(body="[]"),
    }[kind]


def test_no_sample_is_lost_and_no_error_is_an_answer() -> None:
    samples = [sample(f"t/{number:02d}") for number in range(40)]
    with serving(faulty) as server:
        responses = ask(server.url, samples, attempts=3, timeout_s=0.4)
    assert [response.sample_id for response in responses] == [item.id for item in samples]
    for item, response in zip(samples, responses, strict=True):
        if item.id[-1] in "89":
            assert response.status == "error"
            assert (response.text, response.answer, response.thought) == ("", "", None)
            assert ("HTTP 500" if item.id.endswith("8") else "no answer within") in str(response.error)
        else:
            assert (response.status, response.answer) == ("complete", f"answer to {item.id}")


def test_retry_after_is_waited_out_even_beyond_the_longest_backoff() -> None:
    def busy(call: Call) -> Say:
        return says("now") if call.seen_before else fails(429, retry_after="0.6")

    with serving(busy) as server:
        assert ask(server.url, [sample("t/1")])[0].answer == "now"
        first, second = server.times("t/1")
    assert second - first >= 0.6


def test_attempts_keep_their_distance_and_one_that_ran_out_of_time_has_waited() -> None:
    def slow(call: Call) -> Say:
        return says("now") if call.seen_before >= 2 else fails(500) if call.prompt == "t/fails" else Say(wait=30)

    with serving(slow) as server:
        ask(server.url, [sample("t/fails"), sample("t/hangs")], backoff_s=0.4, max_wait_s=9.0, timeout_s=1.0)
        fails_at, hangs_at = server.times("t/fails"), server.times("t/hangs")
    first, second = (later - before for before, later in pairwise(fails_at))
    assert 0.2 <= first < 0.6
    assert 0.4 <= second < 1.0
    assert all(0.9 < later - before < 1.3 for before, later in pairwise(hangs_at))


def test_requests_in_flight_are_bounded() -> None:
    with serving(lambda call: Say(body=says("ok").body, wait=0.05)) as server:
        responses = ask(server.url, [sample(f"t/{number}") for number in range(30)], concurrency=5)
    assert Counter(response.status for response in responses) == {"complete": 30}
    assert 2 <= server.most_in_flight <= 5


def test_the_image_itself_is_sent_untouched_before_the_text(tmp_path: Path) -> None:
    file = draw_image(tmp_path / "a.png", 3)
    with serving(lambda call: says("seen")) as server:
        ask(server.url, [sample("t/1", (file,))])
        call = server.calls[0][1]
    assert [part["type"] for part in call.body["messages"][0]["content"]] == ["image_url", "text"]
    assert base64.b64decode(call.images[0].removeprefix("data:image/png;base64,")) == Path(file).read_bytes()


def test_the_limit_and_greedy_decoding_are_asked_for_and_thoughts_get_their_allowance() -> None:
    with serving(lambda call: says("ok")) as server:
        ask(server.url, [sample("t/1")], thought_tokens=30, extra={"seed": 1})
        body = server.calls[0][1].body
    assert (body["max_tokens"], body["temperature"], body["model"], body["seed"]) == (50, 0.0, "m", 1)


def test_tokens_for_thoughts_alone_are_given_to_a_reply_that_opens_one_and_is_cut() -> None:
    def reasons(call: Call) -> Say:
        if call.prompt == "plain":
            return says("cut at its lim", finish="length")
        if call.prompt == "short":
            return says("<think>It is red.</think>Red.")
        return says(
            "<think>It is" if call.body["max_tokens"] == 20 else "<think>It is red.</think>Red.", finish="length"
        )

    with serving(reasons) as server:
        endpoint = OpenAIEngine(base_url=server.url, **FAST)
        generator = OpenAIGenerator(endpoint, 30, only_thoughts=True)
        responses = answer(generator, [sample("plain"), sample("long"), sample("short")])
        asked = sorted((call.prompt, call.body["max_tokens"]) for _, call in server.calls)
    assert asked == [("long", 20), ("long", 50), ("plain", 20), ("short", 20)]
    assert [response.answer for response in responses] == ["cut at its lim", "Red.", "Red."]
    assert [response.status for response in responses] == ["length", "length", "complete"]


def test_a_reasoning_field_becomes_the_thought() -> None:
    with serving(lambda call: says("Yes.", reasoning_content="It is red.")) as server:
        response = ask(server.url, [sample("t/1")])[0]
    assert (response.thought, response.answer, response.status) == ("It is red.", "Yes.", "complete")


def test_reasoning_cut_before_any_answer_is_an_unclosed_thought() -> None:
    with serving(lambda call: says("", finish="length", reasoning_content="It is")) as server:
        response = ask(server.url, [sample("t/1")])[0]
    assert (response.thought, response.answer, response.status) == ("It is", "", "unclosed_thought")


def test_what_the_providers_filter_blocks_is_an_error_not_a_refusal() -> None:
    with serving(lambda call: says(None, finish="content_filter") if call.prompt == "t/1" else says("ok")) as server:
        responses = ask(server.url, [sample("t/1"), sample("t/2")])
    assert [response.status for response in responses] == ["error", "complete"]
    assert "content filter" in str(responses[0].error)


def test_a_bad_request_is_not_repeated() -> None:
    with serving(lambda call: fails(400, "image too large")) as server:
        response = ask(server.url, [sample("t/1")])[0]
        assert len(server.calls) == 1
    assert "HTTP 400: image too large" in str(response.error)


def test_a_missing_image_is_an_error_of_its_own_sample(tmp_path: Path) -> None:
    with serving(lambda call: says("ok")) as server:
        responses = ask(server.url, [sample("t/1", (str(tmp_path / "absent.png"),)), sample("t/2")])
    assert [response.status for response in responses] == ["error", "complete"]
    assert "absent.png" in str(responses[0].error)


@pytest.mark.parametrize(
    "reply",
    [fails(401, "bad key"), fails(404, "no such model"), fails(429, "pay first", code="insufficient_quota")],
    ids=["key", "model", "quota"],
)
def test_what_no_request_can_pass_stops_the_run_with_its_cause(reply: Say) -> None:
    with serving(lambda call: reply) as server, pytest.raises(EngineError, match="refuses every request"):
        ask(server.url, [sample(f"t/{number}") for number in range(50)])
    assert len(server.calls) <= FAST["concurrency"]


def test_a_dead_endpoint_stops_the_run_and_what_was_answered_is_kept() -> None:
    def dies(call: Call) -> Say:
        return says("ok") if int(call.prompt[2:]) < 5 else fails(503)

    kept: list[Response] = []
    samples = [sample(f"t/{number}") for number in range(200)]
    with serving(dies) as server:
        engine = OpenAIEngine(base_url=server.url, **{**FAST, "concurrency": 1}, attempts=1, give_up_after=10)
        with engine.open({}, None) as generator, pytest.raises(EngineError, match="in a row"):
            generator.generate(generator.plan(samples), kept.extend)
    assert [response.sample_id for response in kept if response.status == "complete"] == [f"t/{n}" for n in range(5)]


def test_an_unreachable_endpoint_says_so() -> None:
    with pytest.raises(EngineError, match=r"connection failed"):
        ask("http://127.0.0.1:9/v1", [sample(f"t/{n}") for n in range(3)], attempts=1, give_up_after=2)


def test_without_a_key_openai_itself_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(EngineError, match="no API key"), OpenAIEngine(model="gpt-4o").open({}, None) as generator:
        answer(generator, [sample("t/1")])


def test_the_key_appears_in_no_identity_and_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "k-123")

    def repeats_the_key(call: Call) -> Say:
        return fails(400, "no rights for k-123")

    with serving(repeats_the_key) as server:
        engine = OpenAIEngine(model="m", base_url=server.url, api_key_env="MY_KEY")
        with engine.open({}, None) as generator:
            response = answer(generator, [sample("t/1")])[0]
    assert "no rights for [key]" in str(response.error)
    assert "k-123" not in repr(engine) + str(engine.identity()) + str(response)


def test_logits_and_checkpoints_are_refused_by_name() -> None:
    engine = OpenAIEngine(base_url="http://127.0.0.1:9/v1", model="m")
    with engine.open({}, None) as generator, pytest.raises(EngineError, match="logits"):
        generator.generate(generator.plan([sample("t/1")]), lambda _: None, lambda *_: {})
    with pytest.raises(EngineError, match="not with a checkpoint"), engine.open({}, "some/folder"):
        pass


def test_configuration_mistakes_are_found_when_it_is_read() -> None:
    for bad in ({"model": None}, {"model": "m", "concurrency": 0}, {"model": "m", "token_limit_field": "max"}):
        with pytest.raises(ConfigError):
            OpenAIEngine(**bad)
