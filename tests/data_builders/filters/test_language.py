"""The language filter: text in another language goes, and what is too short to tell, names and code stay."""

from __future__ import annotations

from typing import Any

import pytest

from data_builders.filters.base import Check, Surroundings
from data_builders.filters.language import LanguageFilter
from data_builders.rows import Row
from resa.errors import ConfigError
from resa.types import Turn

VERDICT = "Verdict: allowed. Plan: answer."
ENGLISH = "The image shows a red sign on a blue wall. The user asks a question."
FOREIGN = {
    "es": "El cartel dice que la tienda abre a las nueve y cierra muy tarde.",
    "de": "Auf dem Schild steht, dass der Laden erst um neun Uhr öffnet.",
    "fr": "La pancarte dit que le magasin ouvre à neuf heures du matin.",
    "pt": "O cartaz diz que a loja abre às nove horas e fecha muito tarde.",
    "it": "Il cartello dice che il negozio apre alle nove di mattina.",
    "nl": "Op het bord staat dat de winkel pas om negen uur opengaat.",
    "pl": "Na tablicy jest napisane, że sklep otwierają dopiero o dziewiątej.",
    "tr": "Tabelada dükkanın sabah saat dokuzda açıldığı yazıyor.",
    "vi": "Trên tấm biển ghi rằng cửa hàng mở cửa lúc chín giờ sáng.",
    "zh": "牌子上写着商店早上九点开门。",
    "ja": "看板には店が朝九時に開くと書いてあります。",
    "ko": "간판에는 가게가 아침 아홉 시에 연다고 쓰여 있습니다.",
    "ru": "На вывеске написано, что магазин открывается в девять часов.",
    "uk": "На вивісці написано, що крамниця відчиняється о дев'ятій годині.",
    "el": "Η πινακίδα λέει ότι το κατάστημα ανοίγει στις εννέα.",
    "ar": "مكتوب على اللافتة أن المتجر يفتح في الساعة التاسعة صباحا.",
    "he": "על השלט כתוב שהחנות נפתחת בשעה תשע בבוקר.",
    "hi": "बोर्ड पर लिखा है कि दुकान सुबह नौ बजे खुलती है।",
}


def row(thought: str, answer: str, **fields: Any) -> Row:
    completion = f"<think>{thought}</think>\n{answer}"
    return Row("part/1", "part", "test", (Turn("user", "What?"),), completion, **{"thinks": True, **fields})


@pytest.fixture(scope="module")
def check() -> Check:
    return LanguageFilter().open(Surroundings({}))


@pytest.mark.parametrize("language", sorted(FOREIGN))
def test_another_language_is_named_in_thought_and_in_answer(check: Check, language: str) -> None:
    said = FOREIGN[language]
    assert check(row(ENGLISH, said)) == f"another language in the answer: {language}"
    assert check(row(f"{said} {VERDICT}", "It is red.")) == f"another language in the thought: {language}"


@pytest.mark.parametrize("language", ["es", "zh", "ru"])
def test_a_thought_that_changes_its_language_half_way_goes(check: Check, language: str) -> None:
    assert check(row(f"The image shows a red sign. {FOREIGN[language]} {VERDICT}", "It is red."))


@pytest.mark.parametrize(
    "answer",
    ["Yes.", "Three.", "C", "12 + 30 = 42", "Guten Tag", "好的。", "", "Kige.",
     "Step 1: search kige. Step 2: pay for it.",
     "Juan José Martínez and François Müller met Zoë in São Paulo.",
     "Ludwig van Beethoven, Wolfgang Amadeus Mozart, Johann Sebastian Bach",
     "Lima, Bogotá, Quito, La Paz, Santiago, Buenos Aires.",
     "apple banana cherry date elderberry fig grape",
     "The Académie française and the Königliche Porzellan-Manufaktur are older than the Galería Nacional.",
     "def area(width, height):\n    return width * height",
     "SELECT name FROM users WHERE id = 3 ORDER BY name DESC",
     "2 H2 + O2 -> 2 H2O", "Let α be the angle between β and γ, so that sin α is small.",
     'The sign says "No se permite entrar a la cocina sin zapatos de seguridad", which asks for shoes.',
     "In Russian it reads «Вход воспрещён», that is, no entry.",
     "```\nprint('Der Benutzer hat das Programm schon wieder beendet')\n```"],
)  # fmt: skip
def test_what_tells_nothing_and_foreign_names_stay(check: Check, answer: str) -> None:
    assert check(row(f"{ENGLISH} {VERDICT}", answer)) is None


def test_a_foreign_sentence_among_many_english_ones_stays(check: Check) -> None:
    around = " ".join(["The user asks what stands on the sign, and it is in Spanish."] * 4)
    assert check(row(f"{around} {FOREIGN['es']} {VERDICT}", "The shop opens at nine.")) is None


def test_thoughts_count_only_where_they_are_wanted(check: Check) -> None:
    assert check(row(FOREIGN["de"], "It is red.", thinks=False)) is None


def test_other_languages_may_be_wanted() -> None:
    both = LanguageFilter(languages=("en", "de")).open(Surroundings({}))
    assert both(row(ENGLISH, FOREIGN["de"])) is None
    assert both(row(ENGLISH, FOREIGN["fr"]))
    german = LanguageFilter(languages=("de",)).open(Surroundings({}))
    assert german(row(FOREIGN["de"], "The sign is on the wall, and it is red.")) == "another language in the answer: en"


@pytest.mark.parametrize(
    "options", [{"languages": ()}, {"least": 0}, {"sure": 1.0}, {"tolerated": -0.1}, {"languages": ("english",)}]
)
def test_bad_options_are_errors(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        LanguageFilter(**options).open(Surroundings({}))
