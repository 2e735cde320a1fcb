"""The table on the terminal."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from eval.report.names import SUB_ASPECTS
from eval.report.summary import write_summary
from eval.report.table import print_table
from tests.eval.report import sample_run

COLOUR = re.compile(r"\x1b\[")
ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def summary(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return sample_run.summarize(tmp_path_factory.mktemp("run"), draws=True)


def printed(summary: dict[str, Any], width: int, **console: Any) -> str:
    stream = io.StringIO()
    print_table(summary, Console(file=stream, width=width, **console))
    return stream.getvalue()


@pytest.mark.parametrize("width", [80, 100, 120])
def test_every_row_stands_on_one_line_with_its_figures(summary: dict[str, Any], width: int) -> None:
    lines = printed(summary, width).splitlines()
    assert max(map(len, lines)) <= width
    assert "…" not in "\n".join(lines)
    for key, title in SUB_ASPECTS.items():
        (line,) = [line for line in lines if line.strip().startswith(f"{key} {title}")]
        assert len(re.findall(r"[+-]?\d+\.\d", line)) >= 6, line
    for title in (
        "Overall trust",
        "Utility",
        "Over-refusal",
        "Leaked thoughts",
        "Tokens per answer",
        "Seconds per answer",
    ):
        assert sum(line.strip().startswith(title) for line in lines) >= 1


def test_partial_and_significant_are_marked(summary: dict[str, Any]) -> None:
    text = printed(summary, 100)
    assert re.search(r"T\.I Inherent deficiency \*", text)
    assert re.search(r"S\.J Jailbreaking .*\+55\.2 .*▲", text)
    assert re.search(r"Tokens per answer ↓ .*\+49\.7 .*▼", text)
    assert re.search(r"Over-refusal ↓ .*\+2\.7 .*·", text)
    assert "paired bootstrap" in text
    assert "no thoughts (base)" in text
    assert "resa: 1 answer that failed, 2 answers that never left their thought" in text


def test_colour_on_a_terminal_only(summary: dict[str, Any]) -> None:
    assert COLOUR.search(printed(summary, 100, force_terminal=True, color_system="standard"))
    assert not COLOUR.search(printed(summary, 100))


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_piped_it_is_plain_and_never_fails(summary: dict[str, Any], tmp_path: Path, encoding: str) -> None:
    write_summary(tmp_path, summary)
    code = "import sys; from pathlib import Path; from eval.report.summary import read_summary; "
    code += "from eval.report.table import print_table; print_table(read_summary(Path(sys.argv[1])))"
    ran = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        cwd=ROOT, capture_output=True, env={"PYTHONIOENCODING": encoding, "PATH": "/usr/bin", "FORCE_COLOR": ""},
        timeout=120, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr.decode()
    assert not COLOUR.search(ran.stdout.decode(encoding))
    assert max(len(line) for line in ran.stdout.decode(encoding).splitlines()) <= 100


def test_a_model_without_a_base_has_one_column(tmp_path: Path) -> None:
    text = printed(sample_run.summarize(tmp_path, base=False), 100)
    assert "difference" not in text
    assert "69.7" in text
