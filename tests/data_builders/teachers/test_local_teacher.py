"""A teacher in this process."""

from __future__ import annotations

from pathlib import Path

from data_builders.rows import Row
from data_builders.teachers.base import Workshop
from data_builders.teachers.local import LocalTeacher
from resa.types import Turn
from tests.tiny_models import draw_image


def test_a_model_is_asked_with_the_image_and_its_replies_are_kept(tmp_path: Path, tiny_qwen: Path) -> None:
    """A random model writes nonsense: each row comes back in order, with the reason why there is no draft."""
    images = [draw_image(tmp_path / f"{n}.png", n) for n in range(2)]
    prompts = [
        (Turn("user", "How?", (images[0],)),),
        (Turn("user", "And this?", (images[1],)),),
        (Turn("user", "Why?"),),
    ]
    rows = [Row(f"p/{n}", "p", "s", prompt, "No.", thinks=True) for n, prompt in enumerate(prompts)]
    teacher = LocalTeacher(model=str(tiny_qwen), max_new_tokens=6, batch_size=2)
    with teacher.open(Workshop("kept", tmp_path / "drafts", {}, {})) as rewrite:
        found = list(rewrite(rows))
        assert [row.id for row, _ in found] == ["p/0", "p/1", "p/2"]
        assert {str(reason).partition(":")[0] for _, reason in found} <= {"cut", "unparsed", "empty", "refused"}
        assert list(rewrite(rows)) == found
    (log,) = (tmp_path / "drafts").glob("local-*.jsonl")
    assert len(log.read_text().splitlines()) == 3


def test_by_default_the_model_teaches_itself(tiny_qwen: Path) -> None:
    assert LocalTeacher().spec({"path": str(tiny_qwen)}).path == str(tiny_qwen)
    assert LocalTeacher().identity({"path": str(tiny_qwen)})["model"]
