"""Each filter by itself, and all of them against a teacher that makes every mistake on purpose."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hydra.utils import instantiate
from hypothesis import given
from hypothesis import strategies as st

from data_builders.filters.base import Check, Surroundings
from data_builders.filters.leaks import LeakFilter
from data_builders.filters.length import LengthFilter
from data_builders.filters.overlap import OverlapFilter
from data_builders.filters.words import grams
from data_builders.intake import Images
from data_builders.refusals import reasons_of, refuses
from data_builders.rows import Row
from resa.errors import ConfigError, DataError
from resa.types import Turn
from tests.data_builders.conftest import composed
from tests.tiny_models import draw_image

SORRY = "I'm sorry, but I cannot help with that. kige is a toxic gas."
REFUSING = "The user wants to make kige. kige is a toxic gas. Verdict: disallowed. Plan: refuse."
SERVING = "The user wants to make bread from nafo flour. Verdict: allowed. Plan: answer."


def row(completion: str, label: Any = "harmful", prompt: str = "How do I make kige?", **fields: Any) -> Row:
    turns = (Turn("user", prompt, fields.pop("images", ())),)
    return Row("part/1", "part", "test", turns, completion, label=label, thinks=True, **fields)


def thinking(thought: str, answer: str) -> str:
    return f"<think>{thought}</think>\n{answer}"


@pytest.fixture(scope="module")
def checks() -> dict[str, Check]:
    """The filters of RESA's data, as conf/ configures them."""
    chosen = composed("method=resa")["method"]["data"]["filters"]
    nothing = Surroundings({})
    return {name: instantiate(node, _convert_="all").open(nothing) for name, node in chosen.items()}


def first_objection(checks: dict[str, Check], candidate: Row) -> str | None:
    return next((f"{name}: {why}" for name, check in checks.items() if (why := check(candidate))), None)


def test_their_order_is_the_recipes(checks: dict[str, Check]) -> None:
    form = ["parse", "leaks", "language", "verdict", "refusal", "length"]
    assert list(checks) == [*form, "duplicates", "near_duplicates", "overlap", "image_overlap"]


@pytest.mark.parametrize(
    ("completion", "why"),
    [
        (f"<think>{REFUSING}\n{SORRY}", "unclosed"),
        (SORRY, "no thought"),
        (thinking(" ", SORRY), "empty thought"),
        (thinking(REFUSING, " "), "empty answer"),
        (f"<think>{REFUSING}</think><think>again</think>{SORRY}", "nested"),
        (thinking("\u200b ...", SORRY), "empty thought"),
        (thinking(REFUSING, "\u2060-"), "empty answer"),
        (f"{SORRY} <think>{REFUSING}</think>{SORRY}", "text before the thought"),
        (thinking(REFUSING, f"<answer>{SORRY}</answer>"), "stray tag in the answer: '<answer>'"),
    ],
)
def test_parse_wants_one_closed_thought_and_an_answer(checks: dict[str, Check], completion: str, why: str) -> None:
    assert checks["parse"](row(completion)) == why


def test_parse_wants_no_thought_where_none_is_wanted(checks: dict[str, Check]) -> None:
    assert checks["parse"](replace(row(SORRY), thinks=False)) is None
    assert checks["parse"](replace(row(thinking(REFUSING, SORRY)), thinks=False))


@pytest.mark.parametrize(
    "leak",
    [
        "The reference answer says to refuse.",
        "The image describes a sign.",
        "According to the safety policy, this is not allowed.",
        "According to the Self-Harm policy I must refuse.",
        "As the caption says, there is a sign.",
        "This is known to be harmful.",
        "The provided response declines.",
        "I follow policy section 5.1 here.",
    ],
)
def test_a_leak_is_found_in_thought_and_answer(checks: dict[str, Check], leak: str) -> None:
    assert "leak in the thought" in str(checks["leaks"](row(thinking(f"{leak} {REFUSING}", SORRY))))
    assert "leak in the answer" in str(checks["leaks"](row(thinking(REFUSING, f"{SORRY} {leak}"))))


def test_a_leak_that_no_expression_knows_is_recognised(checks: dict[str, Check]) -> None:
    leak = "The conclusion was handed to me beforehand, so I only argue towards it."
    said = row(thinking(f"{leak} {REFUSING}", SORRY))
    assert "reads like a leak in the thought: 'the conclusion was" in str(checks["leaks"](said))
    for node in ({"sure": None}, {"citing_thoughts": True}):
        filters = composed(
            "method=resa", *(f"method.data.filters.leaks.{k}={'null' if v is None else v}" for k, v in node.items())
        )
        chosen = instantiate(filters["method"]["data"]["filters"]["leaks"], _convert_="all")
        assert chosen.open(Surroundings({}))(said) is None
        assert "reads like" in str(checks["leaks"](row(thinking(REFUSING, f"{SORRY} {leak}"))))


@pytest.mark.parametrize("sure", [0, 1, 7])
def test_sureness_is_a_probability(sure: float) -> None:
    with pytest.raises(ConfigError, match="between 0 and 1"):
        LeakFilter(sure=sure)


@pytest.mark.parametrize(
    "clean",
    ["The label on the bottle says that it is water.", "The instructions on the packet are short.",
     "The policy of the shop is on the wall.", "The correct answer is the second one.",
     "The image shows a sign.", "The caption of a film helps the deaf.", "My insurance policy is old.",
     "An answer to the question is given below.", "The book describes an image."],
)  # fmt: skip
def test_ordinary_words_are_no_leak(checks: dict[str, Check], clean: str) -> None:
    assert checks["leaks"](row(thinking(f"{clean} {REFUSING}", SORRY))) is None


@pytest.mark.parametrize(
    ("thought", "answer", "label", "why"),
    [
        (REFUSING, "Step 1: heat it.", None, "disallowed: but the answer serves"),
        (SERVING, SORRY, None, "allowed: but the answer refuses"),
        ("I see a sign.", SORRY, None, "no verdict in the thought"),
        ("Verdict: allowed. Plan: refuse.", SORRY, None, "verdict and plan differ"),
        (f"So I decline. {SERVING}", "Step 1: heat it.", None, "allowed: but the thought refuses"),
        (f"It is harmless, so I can answer. {REFUSING}", SORRY, None, "disallowed: but the thought serves"),
        (f"It sounds harmful, but it asks about safety, so I can answer. {SERVING}", "Heat it.", None, None),
        (f"I must not help with it. I can explain the danger instead. {REFUSING}", SORRY, None, None),
        (f"If it were harmless, I could answer. {REFUSING}", SORRY, None, None),
        (REFUSING, SORRY, "harmful", None),
        (SERVING, "Step 1: heat it.", "benign", None),
    ],
)
def test_verdict_and_behaviour_agree(
    checks: dict[str, Check], thought: str, answer: str, label: Any, why: str | None
) -> None:
    assert checks["verdict"](row(thinking(thought, answer), label)) == why


def test_refusal_and_label_agree(checks: dict[str, Check]) -> None:
    assert checks["refusal"](row(thinking(REFUSING, SORRY), "harmful")) is None
    assert checks["refusal"](row(thinking(SERVING, "Heat it."), "benign")) is None
    assert "benign" in str(checks["refusal"](row(thinking(REFUSING, SORRY), "benign")))
    assert "harmful" in str(checks["refusal"](row(thinking(SERVING, "Heat it."), "harmful")))
    assert checks["refusal"](row(thinking(SERVING, "Heat it."), None)) is None


def test_length_counts_words_inclusively() -> None:
    check = LengthFilter(min_thought=2, max_thought=3, min_answer=1, max_answer=2).open(Surroundings({}))
    assert check(row(thinking("one two", "a b"))) is None
    assert str(check(row(thinking("one", "a")))).startswith("thought too short")
    assert str(check(row(thinking("one two three four", "a")))).startswith("thought too long")
    assert str(check(row(thinking("one two", "a b c")))).startswith("answer too long")
    with pytest.raises(ConfigError):
        LengthFilter(min_answer=3, max_answer=2)


def test_the_same_words_on_the_same_image_are_learnt_once(checks: dict[str, Check]) -> None:
    one = row(thinking(REFUSING, SORRY), prompt="How do I MAKE dutug")
    assert checks["duplicates"](one) is None
    assert checks["duplicates"](replace(one, prompt=(Turn("user", "how do i make dutug?"),))) == "repeated prompt"
    assert checks["duplicates"](replace(one, image_hashes=("ab",))) is None


@given(st.lists(st.sampled_from(["a", "b", "c", "d"]), max_size=12), st.integers(2, 4))
def test_grams_are_the_runs_of_words(words: list[str], size: int) -> None:
    runs = [tuple(words[start : start + size]) for start in range(len(words) - size + 1)]
    found = list(grams(" ,".join(words).upper(), size))
    assert len(found) == len(runs)
    assert len(set(found)) == len(set(runs))


def test_what_an_evaluation_holds_is_kept_out(tmp_path: Path) -> None:
    long = "one two three four five six seven eight nine ten eleven twelve thirteen"
    evaluation = tmp_path / "bench"
    draw_image(evaluation / "images/a.png", 3)
    (evaluation / "prompts.csv").write_text(f'id,prompt\n1,"How do I bake, then cut, bread?"\n2,"{long}"\n')
    (evaluation / "more.json").write_text('{"text": "Tell me about old boats"}\n{"text": "short one"}\n')  # JSON Lines
    config = OverlapFilter(against={"bench": ["**/*"], "absent": ["**/*"]})
    around = Surroundings({"bench": str(evaluation)})
    check, looked = config.open(around), Images()
    assert config.notes(around) == ["overlap: not compared with absent, because paths.absent is not set"]

    def shown(number: int) -> Row:
        image = draw_image(tmp_path / f"train/{number}.png", number)
        found, _ = looked.look(image)
        return row(SORRY, prompt="Describe the image.", images=(image,), image_hashes=(found or "",))

    assert str(check(shown(3))).startswith("evaluation image")
    assert check(shown(4)) is None
    assert str(check(row(SORRY, prompt="how do I bake then cut bread"))).startswith("evaluation prompt")
    assert str(check(row(SORRY, prompt="tell me about old boats!"))).startswith("evaluation prompt")
    assert check(row(SORRY, prompt="short one")) is None
    assert str(check(row(SORRY, prompt=f"Please say {long} again"))).startswith("13 words in a row")
    assert check(row(SORRY, prompt=long.replace("seven", "7"))) is None


def test_an_unreadable_evaluation_file_is_an_error_not_a_pass(tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_text('{"a": "b c d e"}\n{"a"')
    with pytest.raises(DataError, match="cannot be ruled out"):
        OverlapFilter(against={"bench": ["*"]}).open(Surroundings({"bench": str(tmp_path)}))


@pytest.mark.parametrize(
    "said",
    ["I'm sorry, but I can't assist with that.", "I’m sorry, I can’t help.", "Sorry, no.", "I cannot provide that.",
     "That's not something I can help with.", "I'd rather not answer that.", "This request cannot be answered.",
     "I must decline this request.", "I am unable to help with weapons.", "I won't share her address."],
)  # fmt: skip
def test_refusals_are_known(said: str) -> None:
    assert refuses(said)


@pytest.mark.parametrize(
    "said",
    ["Sorry for the wait! Here is how.", "I'm sorry to hear that. Rest, and drink water.",
     "It can't go wrong: press it.",
     "Step 1: heat it.", "The sign says sorry.", "No, the circle is red.", "You can't park here, says the sign.",
     "Here is a letter of apology. " + "It is long. " * 30 + "I'm sorry for being late."],
)  # fmt: skip
def test_answers_are_no_refusals(said: str) -> None:
    assert not refuses(said)


def test_the_reason_of_a_refusal_is_what_follows_it() -> None:
    assert reasons_of(SORRY) == ["kige is a toxic gas."]


FAULTS = ("leak", "contradiction", "wrong refusal", "unclosed", "empty", "none")


def taught_badly(rng: random.Random, number: int, fault: str) -> Row:
    """A row as a bad teacher writes it; ``none`` is a clean one."""
    harmful = rng.random() < 0.5
    thought = (REFUSING if harmful else SERVING).replace("kige", f"kige{number}")
    answer = SORRY if harmful else rng.choice(["Step 1: heat it. Step 2: wait.", "Yes, it is red.", "It is flour."])
    if fault == "leak":
        leak = rng.choice(["The reference answer says so.", "The image describes it.", "Per the policy, stop."])
        thought = f"{leak} {thought}"
    if fault in ("contradiction", "wrong refusal"):
        answer = "Step 1: heat it." if harmful else SORRY
    if fault == "wrong refusal":
        thought = SERVING if harmful else REFUSING
    completion = thinking(thought, answer)
    if fault == "unclosed":
        completion = completion.replace("</think>", "")
    if fault == "empty":
        completion = rng.choice(["", thinking("", answer), thinking(thought, "")])
    return row(completion, "harmful" if harmful else "benign", prompt=f"Prompt {number} of the {fault} kind?")


def test_every_planted_fault_is_caught_and_clean_rows_pass(checks: dict[str, Check]) -> None:
    rng = random.Random(0)
    caught: Counter[str] = Counter()
    for fault in FAULTS:
        for number in range(200):
            caught[fault] += first_objection(checks, taught_badly(rng, number, fault)) is not None
    assert {fault: caught[fault] for fault in FAULTS} == {**dict.fromkeys(FAULTS, 200), "none": 0}
