"""Values survive JSON; methods survive a checkpoint folder; errors say what, where and how to mend it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from resa.errors import ConfigError, ConfigErrors, ModelError, did_you_mean
from resa.method import Method, empty_method
from resa.types import Conversation, Judgement, Response, Sample, Score, Turn, conversation_of

VALUES = [
    Turn("user", "hi", ("a.png",)),
    Conversation(
        "1", (Turn("user", "q", ("a.png",)), Turn("assistant", "a")), "vlguard", "harmful", "privacy", None, {"k": 1}
    ),
    Sample(
        "T1/x/0", "T1", "x", conversation_of("q", ["a.png"]), "Yes", 100, subset="s", cluster="a.png", meta={"n": [1]}
    ),
    Response("T1/x/0", "<think>t</think>a", "a", "t", "complete", None, 3, 4, 0.5),
    Judgement("T1/x/0", "yes_no", "rule", "1", 1.0, "ok", "answer", "raw"),
    Score(50.0, 40.0, 60.0, 10),
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_values_survive_json(value: Turn) -> None:
    document = value.__dict__ if isinstance(value, Turn) else value.to_json()  # type: ignore[attr-defined]
    assert type(value).from_json(json.loads(json.dumps(document))) == value


def test_a_conversation_knows_its_last_request_and_answer() -> None:
    turns = (Turn("user", "a", ("x.png",)), Turn("assistant", "b"), Turn("user", "c"), Turn("assistant", "d"))
    conversation = Conversation("1", turns, "s")
    assert (conversation.instruction, conversation.response, conversation.images) == ("c", "d", ("x.png",))


def test_a_method_is_saved_with_a_checkpoint_and_restored(tmp_path: Path) -> None:
    method = Method(
        "resa", {"name": "vlguard_cot"}, {"name": "fare", "epsilon": 0.1}, {"name": "sft"}, {"name": "none"}
    )
    method.save(tmp_path)
    assert Method.load(tmp_path) == method
    assert method.describe() == "resa = data: vlguard_cot + encoder: fare + objective: sft"
    assert empty_method().describe() == "none = the base model"


def test_a_checkpoint_without_a_method_is_named_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"without a method[\s\S]*plain=true"):
        Method.load(tmp_path)
    (tmp_path / "method.json").write_text('{"name": "x"}')
    with pytest.raises(ModelError, match="cannot be read"):
        Method.load(tmp_path)


def test_mistakes_are_reported_together() -> None:
    errors = ConfigErrors([ConfigError("no such key", where="training.lr", remedy="rename it"), ConfigError("another")])
    assert str(errors).startswith("2 configuration mistakes:")
    assert "training.lr" in str(errors)
    assert "rename it" in str(errors)


@pytest.mark.parametrize(("word", "hint"), [("rsea", "Did you mean 'resa'?"), ("zzz", "Available: resa, vlguard.")])
def test_a_misspelt_choice_is_met_with_the_nearest(word: str, hint: str) -> None:
    assert hint in did_you_mean(word, ["vlguard", "resa"])
