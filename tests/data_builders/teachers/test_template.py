"""Thoughts without a model: short, regular, and the same every time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from data_builders.policies import load_policies
from data_builders.rows import Row
from data_builders.teachers.base import Workshop
from data_builders.teachers.template import TemplateTeacher
from resa.errors import ConfigError
from resa.types import Turn

SORRY = "I'm sorry, but I cannot help with that."


def row(prompt: str, answer: str, label: Any = "benign", caption: str | None = None, **fields: Any) -> Row:
    images = ("a.png",) if caption is not None else ()
    captions = (caption,) if caption else ()
    return Row(
        "p/1", "p", "s", (Turn("user", prompt, images),), answer, label, thinks=True, captions=captions, **fields
    )


def thought(candidate: Row, quote: bool = False, **roots: str) -> str | None:
    teacher = TemplateTeacher(knowledge="lexicon" if roots else None, quote=quote)
    with teacher.open(Workshop("kept", Path("nowhere"), roots, {})) as rewrite:
        ((written, reason),) = rewrite([candidate])
    assert reason is None
    assert written.answer == candidate.completion.strip()
    return written.thought


def test_a_harmful_row_says_what_is_seen_wanted_true_and_ruled() -> None:
    candidate = row("Tell me how to make this thing.", f"{SORRY} Bavo is a toxic gas.", "harmful",
                    "A red sign with the word bavo.", category="risky behavior", subcategory="violence")  # fmt: skip
    assert thought(candidate) == (
        "The image shows a red sign with the word bavo. The user wants to make this thing. Bavo is a toxic gas. "
        "Rule: no help with dangerous things. Verdict: disallowed. Plan: refuse."
    )


def test_a_benign_row_says_what_is_seen_and_asked() -> None:
    candidate = row("What colour is the ring? A. red B. blue Answer with the letter.", "A", caption="a red ring")
    said = "The image shows a red ring. {} Verdict: allowed. Plan: answer."
    assert thought(candidate) == said.format("The user asks a question.")
    assert thought(candidate, quote=True) == said.format("The user says: What colour is the ring?")


@pytest.mark.parametrize(
    ("prompt", "kind"),
    [
        ("I say that zovebs are loud. Do you agree?", "for agreement"),
        ("Which do you prefer, tea or milk?", "for a choice"),
        ("Describe the image in detail.", "for a description"),
        ("Write a false story about bune.", "for a false story"),
        ("Shout the word bune.", "for words to be said"),
        ("What colour is it?", "a question"),
    ],
)
def test_the_kind_of_a_request_is_named(prompt: str, kind: str) -> None:
    assert f"The user asks {kind}. " in str(thought(row(prompt, "Yes.")))


def test_an_image_nobody_described_is_not_described() -> None:
    assert str(thought(row("What is it?", "A cat.", caption=""))).startswith("The user shows an image. ")


def test_a_question_keeps_the_claim_it_is_about() -> None:
    found = str(thought(row("I say that zovebs are loud. Do you agree?", f"{SORRY} It is unfair.", "harmful"), True))
    assert "I say that zovebs are loud. Do you agree?" in found


def test_a_definition_is_a_fact_and_other_answers_are_not() -> None:
    assert "bune is a soft toy. Verdict" in str(thought(row("What is bune?", "bune is a soft toy.")))
    assert "Step" not in str(thought(row("How do I make bune?", "Step 1: find bune.")))


def test_what_is_known_of_a_word_comes_in_where_it_is_named(tmp_path: Path) -> None:
    facts = tmp_path / "lexicon.json"
    facts.write_text(json.dumps({"harmless": {"bune": "bune is a soft toy."}, "rude": ["zut"]}))
    found = thought(row("How do I make this?", "Step 1.", caption="a sign with the word bune"), lexicon=str(facts))
    assert "The user wants to make this. bune is a soft toy. Verdict: allowed." in str(found)


def test_without_a_label_the_answer_decides() -> None:
    assert "Verdict: disallowed." in str(thought(row("Do it.", SORRY, None)))
    assert "Verdict: allowed." in str(thought(row("Do it.", "Done.", None)))


def test_thoughts_stay_short_however_long_the_record() -> None:
    long = "word " * 300
    found = str(thought(row(long, f"{SORRY} {long}.", "harmful", long, category="deception")))
    assert len(found.split()) < 80
    assert "no false information" in found


def test_thoughts_that_records_bring_stand() -> None:
    candidate = row("q", "<think>mine</think>\nyes")
    with TemplateTeacher().open(Workshop("kept", Path("nowhere"), {}, {})) as rewrite:
        assert list(rewrite([candidate])) == [(candidate, None)]


def test_policies_go_from_the_special_to_the_general() -> None:
    policies = load_policies("default")
    assert policies.of("Risky Behavior", "sexual").rule == "no rude or explicit content"
    assert policies.of("privacy", "something new").rule == policies.of("privacy", None).rule
    assert policies.of(None, None) == policies.default == policies.of("new", "new")
    assert policies.of("risky behavior", "violence").text.startswith(policies.of("risky behavior", None).text)


@pytest.mark.parametrize(
    ("category", "subcategory"),
    [("privacy", "personal data"), ("risky behavior", "violence"), ("risky behavior", "sexually explicit"),
     ("risky behavior", "political"), ("risky behavior", "professional advice"), ("deception", "disinformation"),
     ("discrimination", "race"), ("discrimination", "sex"), ("discrimination", "other")],
)  # fmt: skip
def test_every_vlguard_kind_has_a_policy(category: str, subcategory: str) -> None:
    assert (category, subcategory) in load_policies("default").by_kind


def test_unknown_policies_and_bad_options_are_configuration_errors(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no policies"):
        TemplateTeacher(policies="nowhere")
    with pytest.raises(ConfigError, match="max_words"):
        TemplateTeacher(max_words=1)
    (tmp_path / "bad.yaml").write_text("categories: 3")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_policies(str(tmp_path / "bad.yaml"))
