"""Reading arrays and JSON Lines record by record."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from data_builders.sources import records
from data_builders.sources.base import Problem
from data_builders.sources.records import read_records
from resa.errors import DataError

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=60, deadline=None)
@example(rows=[0.0], indent=None, chunk=1)
@example(rows=[1e30, -2.5e-7], indent=None, chunk=1)
@given(rows=st.lists(values, max_size=6), indent=st.sampled_from([None, 2]), chunk=st.integers(1, 40))
def test_an_array_is_read_as_json_reads_it_whatever_the_buffer(rows: list[Any], indent: int | None, chunk: int) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(records, "CHUNK", chunk)
        file = Path(folder) / "rows.json"
        file.write_text(json.dumps(rows, indent=indent, ensure_ascii=False), encoding="utf-8")
        found = list(read_records(file))
    assert [row for row, _ in found] == list(range(len(rows)))
    for value, (_, read) in zip(rows, found, strict=True):
        assert read == value if isinstance(value, dict) else isinstance(read, Problem)


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(st.dictionaries(st.text(max_size=5), values, max_size=3), min_size=1, max_size=4), data=st.data())
def test_a_cut_array_is_an_error_that_names_file_and_record(rows: list[Any], data: st.DataObject) -> None:
    text = json.dumps(rows)
    cut = data.draw(st.integers(1, len(text) - 1))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rows.json"
        file.write_text(text[:cut])
        with pytest.raises(DataError, match=r"record \d"):
            list(read_records(file))


def test_a_broken_line_is_one_problem_and_the_rest_is_read(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text('{"a": 1}\n{"a": \n\n[1]\n{"a": 2}\n')
    found = dict(read_records(file))
    assert found[1] == {"a": 1}
    assert found[5] == {"a": 2}
    assert "not JSON" in str(found[2])
    assert "row 4: a list" in str(found[4])


def test_no_array_is_said_so(tmp_path: Path) -> None:
    file = tmp_path / "rows.json"
    file.write_text('{"a": 1}')
    with pytest.raises(DataError, match="not a JSON array"):
        list(read_records(file))
