"""Utility and over-refusal sets: VLMEvalKit's TSV, open questions, GSM8K-like texts, XSTest, VLGuard's safe twins."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eval.readers.files import Root, fields, verify_image
from eval.rules.final_number import last_number
from resa.errors import DataError


@dataclass(frozen=True)
class Item:
    """``answer``: the letter, the words, the number; ``options``: letter -> text."""

    row: str
    prompt: str
    answer: Any
    image: str | None = None
    options: dict[str, str] | None = None
    category: str | None = None


def read_multiple_choice(root: Root, file: str, cache: Path | None = None) -> Iterator[Item]:
    """A TSV in VLMEvalKit's form: ``index``, ``image`` (base64, or the index of the row that has it), ``question``,
    ``A`` ... , ``answer`` (a letter), ``category``, ``hint``. Images are decoded into ``cache``.

    Raises:
        DataError: an image is not base64, or the answer is none of the options.
    """
    folder = cache or Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "resa" / "images"
    seen: dict[str, str] = {}
    for number, row in root.table(file, delimiter="\t"):
        where = f"{root.folder}/{file}: row {number + 1}"
        index, question, answer = fields(row, ("index", "question", "answer"), where)
        options = {letter: row[letter] for letter in "ABCDEFGHIJ" if row.get(letter)}
        if answer not in options:
            raise DataError(f"the answer {answer!r} is none of {', '.join(options)}", where=where,
                            remedy="give the row options A, B ... and one of these letters as answer")  # fmt: skip
        encoded = row.get("image") or ""
        image = seen[encoded] if encoded in seen else _decode(encoded, folder, where) if encoded else None
        if image:
            seen[index] = image
        prompt = f"{row['hint']}\n{question}" if row.get("hint") else question
        yield Item(index, prompt, answer, image, options, row.get("category"))


def _decode(encoded: str, folder: Path, where: str) -> str:
    """An image file named by its content, so that any run and rank finds the same one."""
    try:
        content = base64.b64decode(encoded, validate=True)
    except binascii.Error as error:
        raise DataError(f"the image is not base64: {error}", where=where, remedy="restore the file") from error
    suffix = {b"\x89PNG": ".png", b"\xff\xd8\xff\xe0": ".jpg", b"RIFF": ".webp"}.get(content[:4], ".jpg")
    file = folder / f"{hashlib.sha256(content).hexdigest()[:32]}{suffix}"
    if not file.exists() or file.stat().st_size != len(content):
        folder.mkdir(parents=True, exist_ok=True)
        partial = file.with_suffix(f".{os.getpid()}.partial")
        partial.write_bytes(content)
        verify_image(partial)
        partial.replace(file)
    return str(file)


def read_open_questions(root: Root, file: str) -> Iterator[Item]:
    """JSON Lines: ``question_id``, ``image`` (below the root), ``question``, ``answer``."""
    for number, row in root.rows(file):
        names = ("question_id", "image", "question", "answer")
        key, image, question, answer = fields(row, names, f"{root.folder}/{file}:{number + 1}")
        yield Item(str(key), question, answer, root.image("", image, f"images/{image}"))


def read_word_problems(root: Root, file: str) -> Iterator[Item]:
    """JSON Lines as GSM8K's: ``question``, ``answer`` ending in ``#### 7``.

    Raises:
        DataError: an answer has no number.
    """
    for number, row in root.rows(file):
        where = f"{root.folder}/{file}:{number + 1}"
        question, answer = fields(row, ("question", "answer"), where)
        value = last_number(str(answer))
        if value is None:
            raise DataError("the answer has no number", where=where, remedy="restore the file")
        yield Item(str(number), question, value)


def read_xstest(root: Root, file: str = "xstest_prompts.csv") -> Iterator[Item]:
    """XSTest's safe prompts."""
    for number, row in root.table(file):
        key, prompt, label, kind = fields(row, ("id", "prompt", "label", "type"), f"{root.folder}/{file}: {number + 1}")
        if label == "safe":
            yield Item(str(key), prompt, None, category=kind)


def read_safe_twins(root: Root, file: str = "test.json") -> Iterator[Item]:
    """VLGuard's safe instructions on safe images."""
    for number, row in root.rows(file):
        image, safe, turns = fields(row, ("image", "safe", "instr-resp"), f"{root.folder}/{file}: entry {number + 1}")
        for turn in turns if safe else ():
            if "safe_instruction" in turn:
                yield Item(str(number), turn["safe_instruction"], None, root.image("test", image),
                           category=row.get("harmful_subcategory"))  # fmt: skip
