"""Records of JSON arrays and JSON Lines files, one by one: a mix of 665,000 dialogues never has to fit into memory."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from data_builders.sources.base import Problem
from resa.errors import DataError

CHUNK = 1 << 20


def read_records(file: Path) -> Iterator[tuple[int, dict[str, Any] | Problem]]:
    """(row, record) of a ``.json`` array or a JSON Lines file; rows count from 0 in an array, lines from 1. What is not
    an object comes as a Problem.

    Raises:
        DataError: the file cannot be read, or an array is broken (what follows the break cannot be told apart);
            names the file and the record.
    """
    try:
        with file.open(encoding="utf-8-sig") as stream:
            rows = _lines(file, stream) if file.suffix == ".jsonl" else _array(file, stream)
            for row, value in rows:
                if isinstance(value, (dict, Problem)):
                    yield row, value
                else:
                    yield row, Problem(str(file), row, "malformed record", f"a {type(value).__name__}, not an object")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"the file cannot be read: {error}", where=str(file), remedy="copy it again") from error


def read_json(file: Path) -> Any:
    """A whole JSON file, for small ones.

    Raises:
        DataError: it is missing or not JSON.
    """
    try:
        return json.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise DataError(f"the file cannot be read: {error}", where=str(file), remedy="copy it again") from error


def _lines(file: Path, stream: TextIO) -> Iterator[tuple[int, Any]]:
    for number, line in enumerate(stream, 1):
        if line.strip():
            try:
                yield number, json.loads(line)
            except ValueError as error:
                yield number, Problem(str(file), number, "malformed record", f"not JSON: {error}")


class _Window:
    """The part of a stream that is being decoded."""

    def __init__(self, stream: TextIO) -> None:
        self.stream, self.text, self.at, self.step = stream, "", 0, CHUNK

    def more(self) -> bool:
        """Read on, twice as much as the last time in a row; False at the end."""
        read = self.stream.read(self.step)
        if read:
            self.text, self.at, self.step = self.text[self.at :] + read, 0, 2 * self.step
        return bool(read)

    def peek(self) -> str:
        """The next character that is no white space; empty at the end."""
        while True:
            while self.at < len(self.text) and self.text[self.at].isspace():
                self.at += 1
            if self.at < len(self.text):
                return self.text[self.at]
            if not self.more():
                return ""


def _array(file: Path, stream: TextIO) -> Iterator[tuple[int, Any]]:
    window, decoder, row = _Window(stream), json.JSONDecoder(), 0
    if window.peek() != "[":
        raise DataError("not a JSON array", where=str(file), remedy="name JSON Lines files *.jsonl")
    window.at += 1
    while (sign := window.peek()) != "]":
        if row and sign == ",":
            window.at += 1
            window.peek()
        elif row:
            raise _broken(file, row, "a comma or the end of the array is missing")
        yield row, _value(file, row, window, decoder)
        row += 1
    window.at += 1
    if window.peek():
        raise _broken(file, row, "there is text behind the array")


def _value(file: Path, row: int, window: _Window, decoder: json.JSONDecoder) -> Any:
    window.step = CHUNK
    while True:
        try:
            value, end = decoder.raw_decode(window.text, window.at)
        except RecursionError:
            raise _broken(file, row, "nested too deeply") from None
        except ValueError as error:
            if not window.more():
                raise _broken(file, row, f"not JSON: {error}") from error
            continue
        rest = window.text[end:]
        if isinstance(value, (int, float)) and not rest.strip("0123456789.eE+-") and window.more():
            continue  # a number may go on in what is read next: "0." is followed by its decimals, "1e" by its power
        window.at = end
        return value


def _broken(file: Path, row: int, detail: str) -> DataError:
    return DataError(
        f"the JSON array is broken: {detail}",
        where=f"{file}, record {row}",
        remedy="the file is cut off or was edited by hand: copy it again from its source",
    )
