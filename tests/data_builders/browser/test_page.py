"""A dataset's page as a file: which rows it shows, that it says so, and that no row can be more than text in it."""

from __future__ import annotations

import html
import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_builders.browser.__main__ import main
from data_builders.browser.page import write_page
from data_builders.browser.sampling import choose
from data_builders.finished import Dataset
from data_builders.rows import Row
from resa.artifacts import Artifact
from resa.errors import DataError
from tests.data_builders.conftest import CHECKOUT
from tests.data_builders.finished_dataset import every_kind, finished, said

NASTY = [
    "</script><script>document.title = 'taken'</script>",
    "<!--<script>",
    "<img src=x onerror=\"document.title = 'taken'\">",
    "]]>\u2028\u2029\u202e&lt;b&gt; \x00\x0b",
    "{{ 7 * 7 }} {% raw %}",
]
FUNNEL = [
    {"step": "records", "in": 9, "out": 9, "dropped": {}, "examples": []},
    {
        "step": "filter leaks",
        "in": 9,
        "out": 7,
        "dropped": {"phrase": 2},
        "examples": [
            {"reason": f"phrase: {NASTY[0]}", "id": "x/1", "prompt": NASTY[2], "completion": "As said.", "label": None}
        ],
    },
]


class Reading(HTMLParser):
    """Every element of a page with its text, as a browser would cut it."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "script":
            self.scripts.append("")

    def handle_data(self, data: str) -> None:
        if self.lasttag == "script" and self.cdata_elem:
            self.scripts[-1] += data


def read(page: Path) -> tuple[Reading, dict[str, Any]]:
    reading = Reading()
    reading.feed(page.read_text(encoding="utf-8"))
    return reading, json.loads(reading.scripts[0])


def plain(number: int, **more: Any) -> Row:
    return Row(f"p/{number}", "p", "s", (said("user", f"What is {number}?"),), f"It is {number}.", **more)


def test_every_row_is_in_it_as_it_is(tmp_path: Path) -> None:
    made = finished(tmp_path, every_kind(tmp_path), FUNNEL)
    page = write_page(Dataset.of(made), tmp_path / "page.html")
    assert page.said == "7 of 7 rows shown"
    _, data = read(page.path)
    rows = {row["id"]: row for row in data["rows"]}
    assert list(rows) == [row.id for row in every_kind(tmp_path)]
    assert rows["a/one"]["thought"] == "A square. Verdict: allowed."
    assert rows["a/history"]["category"] == "privacy / faces"
    assert rows["b/pair"]["rejected"] == {"thought": None, "answer": "A circle."}
    assert [turn["role"] for turn in rows["b/system"]["turns"]] == ["system", "user"]
    assert len(data["images"]) == 3, "an image that several rows show is there once"
    assert all(image["uri"].startswith("data:image/png;base64,") for image in data["images"])


def test_it_says_how_many_it_shows_and_shows_the_same_each_time(tmp_path: Path) -> None:
    made = Dataset.of(finished(tmp_path, (plain(number) for number in range(7431))))
    one, two = (write_page(made, tmp_path / name) for name in ("one.html", "two.html"))
    assert "500 of 7,431 rows shown" in one.path.read_text()
    assert "--most 7431" in one.path.read_text()
    assert one.path.read_bytes() == two.path.read_bytes()
    assert write_page(made, tmp_path / "all.html", 10_000).said == "7,431 of 7,431 rows shown"


@given(st.lists(st.sampled_from("abcd"), max_size=60), st.integers(1, 70))
def test_the_sample_is_exact_and_holds_every_kind_that_fits(parts: list[str], most: int) -> None:
    rows = [{"id": f"{part}/{number}", "part": part} for number, part in enumerate(parts)]
    shown, total = choose(rows, most)
    assert total == len(rows)
    assert shown == sorted(set(shown))
    assert len(shown) == min(most, total)
    if most >= 4:
        assert {rows[number]["part"] for number in shown} == set(parts)


def test_the_rest_of_the_sample_is_drawn_evenly() -> None:
    shown, _ = choose(({"id": f"r/{number}", "part": "p"} for number in range(4000)), 1000)
    assert [len([n for n in shown if low <= n < low + 1000]) for low in (0, 1000, 2000, 3000)] == pytest.approx(
        [250] * 4, abs=50
    )


def check_harmless(page: Path, rows: list[Row]) -> None:
    reading, data = read(page)
    assert [tag for tag, _ in reading.tags].count("script") == 2
    assert not [attrs for _, attrs in reading.tags if any(name.startswith("on") for name in attrs)]
    assert not {tag for tag, _ in reading.tags} & {"img", "iframe", "object", "base"}
    assert [row["turns"][0]["text"] for row in data["rows"]] == [row.prompt[0].text for row in rows]
    assert [row["answer"] for row in data["rows"]] == [row.answer for row in rows]
    policy = next(attrs["content"] for tag, attrs in reading.tags if attrs.get("http-equiv"))
    assert policy
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert not re.search(r"(src|href)=\"(?!#|data:)", page.read_text(encoding="utf-8")), "something is loaded"


def test_hostile_rows_are_text(tmp_path: Path) -> None:
    rows = [Row(f"n/{n}", text, "s", (said("user", text),), text, category=text) for n, text in enumerate(NASTY)]
    page = write_page(Dataset.of(finished(tmp_path, rows, FUNNEL, name=NASTY[0])), tmp_path / "page.html")
    check_harmless(page.path, rows)
    assert html.escape(NASTY[2], quote=False).replace('"', "&#34;").replace("'", "&#39;") in page.path.read_text()


TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@settings(max_examples=30, deadline=None)  # each draws a whole page
@given(text=TEXT, answer=st.sampled_from(NASTY) | st.text("<>/!-scriptSCRIPT\"'&"))
def test_any_row_is_text(tmp_path_factory: pytest.TempPathFactory, text: str, answer: str) -> None:
    folder = tmp_path_factory.mktemp("page")
    rows = [Row("n/1", "p", "s", (said("user", text),), answer)]
    check_harmless(write_page(Dataset.of(finished(folder, rows)), folder / "page.html").path, rows)


def test_images_that_cannot_be_read_and_images_not_wanted_are_named(tmp_path: Path) -> None:
    made = Dataset.of(finished(tmp_path, every_kind(tmp_path)))
    (tmp_path / "pictures/1.png").write_bytes(b"\x89PNG no more")
    _, data = read(write_page(made, tmp_path / "page.html").path)
    assert data["images"][0] == {"name": "pictures/1.png"}
    assert "uri" in data["images"][1]
    _, data = read(write_page(made, tmp_path / "names.html", embed=False).path)
    assert [image["name"] for image in data["images"]] == [f"pictures/{n}.png" for n in (1, 2, 3)]
    assert "data:image" not in (tmp_path / "names.html").read_text()


def test_terms_stand_at_the_top(tmp_path: Path) -> None:
    made = finished(tmp_path, every_kind(tmp_path))
    flags = {"gated": True, "non_commercial": True}
    source = {"title": "S", "licence": "CC BY-NC 4.0", "citation": "C", "url": "U", **flags}
    said_of = Dataset(made.path, {**made.contents, "sources": {"s": source}}, "mine")
    text = write_page(said_of, tmp_path / "page.html").path.read_text()
    assert "S: gated and non-commercial." in text
    assert text.index("S: gated") < text.index("<main>")


def test_the_command_and_its_errors(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made: Artifact = finished(tmp_path, every_kind(tmp_path))
    out = tmp_path / "page.html"
    command = [sys.executable, "-m", "data_builders.browser", str(made.path), "--out", str(out), "--most", "3"]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(rf"3 of 7 rows shown, 0\.\d MB\n{re.escape(str(out))}\n", done.stdout)
    assert main([str(tmp_path), "--out", str(out)]) == 1
    assert main([str(made.path), "--out", str(out), "--most", "0"]) == 2
    assert "not an artifact" in capsys.readouterr().err
    with (made.path / "rows.jsonl").open("a") as stream:
        stream.write('{"id": 1')
    with pytest.raises(DataError, match=r"rows\.jsonl:8"):
        write_page(Dataset.of(made), out)
