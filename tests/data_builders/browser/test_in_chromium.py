"""A dataset's page as its reader uses it: opened from the disk in a real Chromium, filtered, searched, read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from data_builders.browser.page import write_page
from data_builders.finished import Dataset
from data_builders.rows import Row
from tests.data_builders.browser.chromium import chromium, missing
from tests.data_builders.browser.test_page import FUNNEL, NASTY, plain
from tests.data_builders.finished_dataset import every_kind, finished, said

pytestmark = pytest.mark.browser
LOADED = "return performance.getEntriesByType('resource').map(e => e.name).filter(name => !/^data:/.test(name))"


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    if missing():
        pytest.skip(f"no browser here: apt-get install {' '.join(missing())}")
    with chromium(tmp_path_factory.mktemp("chromium")) as found:
        yield found


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page of every kind of row, hostile ones, and enough others for several pages of the list."""
    folder = tmp_path_factory.mktemp("page")
    hostile = [Row(f"n/{n}", "nasty", "s", (said("user", text),), text) for n, text in enumerate(NASTY)]
    rows = [*every_kind(folder), *hostile, *(plain(n, label="harmful") for n in range(48))]
    return write_page(Dataset.of(finished(folder, rows, FUNNEL)), folder / "page.html").path.as_uri()


@pytest.fixture
def page(driver: Any, address: str) -> Iterator[Any]:
    """The page, freshly opened; whatever a test did, nothing was logged, loaded or run that should not be."""
    driver.get("about:blank")
    driver.get_log("browser")
    driver.get(address)
    yield driver
    assert driver.get_log("browser") == []
    assert driver.execute_script(LOADED) == []
    assert driver.title == "mine: RESA dataset"


def one(page: Any, selector: str) -> Any:
    return page.find_element("css selector", selector)


def texts(page: Any, selector: str) -> list[str]:
    return [found.text for found in page.find_elements("css selector", selector)]


def wait_for(page: Any, said: str) -> None:
    from selenium.webdriver.support.ui import WebDriverWait

    WebDriverWait(page, 10).until(lambda driver: said in one(driver, "main").text, f"{said!r} never came")


def choose(page: Any, name: str, value: str) -> None:
    from selenium.webdriver.support.ui import Select

    Select(one(page, f"#{name}")).select_by_value(value)


def test_a_row_is_found_and_read(page: Any) -> None:
    """Filter, search, read: with its image really drawn, and its thought and answer beside it."""
    wait_for(page, "60 of 60 rows match")
    choose(page, "part", "a")
    wait_for(page, "4 of 60 rows match")
    choose(page, "images", "some")
    wait_for(page, "3 of 60 rows match")
    one(page, "#q").send_keys("VERDICT square")
    wait_for(page, "1 of 60 rows match; this is number 1.")
    assert one(page, "#reader h2").text == "a/one"
    assert texts(page, "#reader .prompt .said") == ["What is this?"]
    assert texts(page, "#reader .thought .said") == ["A square. Verdict: allowed."]
    assert texts(page, "#reader .answer .said") == ["It is a square."]
    assert texts(page, "#reader .tag") == ["benign", "a", "things"]
    assert texts(page, "#reader mark") == ["square", "Verdict", "square"]
    image = one(page, "#reader img")
    assert page.execute_script("return arguments[0].complete && arguments[0].naturalWidth", image) == 84
    assert image.size["width"] > 80
    assert image.get_attribute("alt") == "Image 1 of 1: pictures/1.png"
    thought, answer = one(page, "#reader .thought"), one(page, "#reader .answer")
    assert image.location["x"] < thought.location["x"] < answer.location["x"], "not side by side"
    one(page, "button[type=reset]").click()
    wait_for(page, "60 of 60 rows match")


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("label", "benign", ["a/one", "a/two"]),
        ("category", "privacy / faces", ["a/history"]),
        ("images", "many", ["a/two", "a/history"]),
        ("part", "b", ["b/system", "b/pair", "b/pair_text"]),
    ],
)
def test_each_filter(page: Any, name: str, value: str, found: list[str]) -> None:
    choose(page, name, value)
    wait_for(page, f"{len(found)} of 60 rows match")
    assert [text.split(" · ")[0] for text in texts(page, "#list small")] == found


def test_the_keyboard_goes_through_rows_and_pages(page: Any) -> None:
    from selenium.webdriver.common.keys import Keys

    body = one(page, "body")
    body.send_keys("j")
    wait_for(page, "number 2.")
    body.send_keys("j", "k", "k")
    wait_for(page, "number 1.")
    body.send_keys("/", "nothing says this", Keys.ENTER)
    wait_for(page, "No row matches.")
    one(page, "#q").clear()
    one(page, "#q").send_keys(Keys.ENTER)
    wait_for(page, "page 1 of 3")
    one(page, "#page-on").send_keys(Keys.ENTER)
    wait_for(page, "page 2 of 3")
    page.find_elements("css selector", "#list a")[-1].send_keys(Keys.ENTER)
    wait_for(page, "number 40.")
    one(page, "#next").send_keys(Keys.ENTER)
    wait_for(page, "page 3 of 3")
    assert page.switch_to.active_element.get_attribute("id") == "next", "the button that was pressed is still at hand"


def test_an_address_points_at_a_row_and_a_filter(page: Any, address: str) -> None:
    page.get("about:blank")
    page.get(f"{address}#row=b%2Fpair&part=b&q=square")
    wait_for(page, "1 of 60 rows match")
    assert one(page, "#reader h2").text == "b/pair"
    assert texts(page, "#reader .side.answer:not(.rejected) .said") == ["A square."]
    assert texts(page, "#reader .side.rejected .said") == ["A circle."]
    choose(page, "part", "")
    one(page, "#q").clear()
    one(page, "#q").send_keys("46?")
    wait_for(page, "1 of 60 rows match")
    assert page.current_url.endswith("#row=p%2F46&q=46%3F")
    page.get("about:blank")
    page.get(f"{address}#row=p%2F999")
    wait_for(page, "p/999 is not among the 60 rows of this page.")


def test_a_dialogue_and_its_images_are_shown_in_order(page: Any, address: str) -> None:
    page.get(f"{address}#row=a%2Fhistory")
    wait_for(page, "Another square.")
    assert texts(page, "#reader .turn h3") == ["Before: user image 1", "Before: assistant", "Prompt image 2"]
    widths = page.execute_script("return [...document.querySelectorAll('#reader img')].map(i => i.naturalWidth)")
    assert widths == [84, 84]


def test_hostile_rows_are_read_and_do_nothing(page: Any, address: str) -> None:
    for number, text in enumerate(NASTY):
        page.get(f"{address}#row=n%2F{number}")
        wait_for(page, f"number {number + 8}.")
        shown = page.execute_script("return document.querySelector('#reader .answer .said').textContent")
        assert shown == text.strip()
        assert page.title == "mine: RESA dataset"
        assert not page.find_elements("css selector", "#reader script, #reader img")


def test_what_was_kept_out_can_be_read(page: Any) -> None:
    assert "filter leaks 9 7 phrase: 2" in one(page, "#kept-out table").text
    one(page, "#kept-out summary").click()
    wait_for(page, "phrase: </script><script>")
    assert texts(page, "#kept-out dd")[0] == "x/1"


def test_ten_thousand_rows_are_filtered_at_once(driver: Any, tmp_path: Path) -> None:
    made = Dataset.of(finished(tmp_path, (plain(number) for number in range(10_000))))
    driver.get(write_page(made, tmp_path / "page.html", 10_000).path.as_uri())
    wait_for(driver, "10,000 of 10,000 rows match")
    one(driver, "#q").send_keys("9999")
    wait_for(driver, "1 of 10,000 rows match")
    assert one(driver, "#reader h2").text == "p/9999"


@pytest.mark.parametrize("width", [1400, 420])
def test_it_fits_the_window_and_has_names_for_everything(page: Any, width: int) -> None:
    page.set_window_size(width, 900)
    try:
        assert page.execute_script("return document.documentElement.scrollWidth <= innerWidth")
    finally:
        page.set_window_size(1400, 1000)
    for control in page.find_elements("css selector", "button, input, select, a, article, form, nav, ol"):
        if control.is_displayed() and control.get_attribute("class") != "dropped":
            assert control.accessible_name, control.get_attribute("outerHTML")
