"""Copies of evaluation images are known by their looks; other images are not taken for copies."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw

from data_builders.filters.base import Check, Surroundings
from data_builders.filters.image_overlap import ImageOverlapFilter
from data_builders.intake import Images
from data_builders.rows import Row
from resa.errors import ConfigError, DataError
from resa.types import Turn


def scene(number: int) -> Any:
    """A picture of many coloured forms, 320 x 240."""
    rng = random.Random(number)
    picture = Image.new("RGB", (320, 240), tuple(rng.randrange(256) for _ in range(3)))
    draw = ImageDraw.Draw(picture)
    for place in range(25):
        x, y, w, h = rng.randrange(280), rng.randrange(200), rng.randrange(10, 120), rng.randrange(10, 90)
        form = draw.ellipse if place % 2 else draw.rectangle
        form([x, y, x + w, y + h], fill=tuple(rng.randrange(256) for _ in range(3)))
    return picture


def cut(picture: Any, share: float) -> Any:
    width, height = picture.size
    x, y = round(width * share), round(height * share)
    return picture.crop((x, y, width - x, height - y))


COPIES: dict[str, Callable[[Any, Path], None]] = {
    "jpg": lambda picture, file: picture.save(file, "JPEG", quality=40),
    "half": lambda picture, file: picture.resize((160, 120)).save(file, "PNG"),
    "square": lambda picture, file: picture.resize((224, 224)).save(file, "PNG"),
    "cut 1.5 %": lambda picture, file: cut(picture, 0.015).save(file, "PNG"),
    "cut 5 %": lambda picture, file: cut(picture, 0.05).save(file, "PNG"),
    "cut, half and jpg": lambda picture, file: cut(picture, 0.03).resize((150, 113)).save(file, "JPEG", quality=60),
}


@pytest.fixture(scope="module")
def evaluation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("bench")
    for number in range(12):
        scene(number).save(root / f"{number}.png")
    return root


@pytest.fixture(scope="module")
def check(evaluation: Path) -> Check:
    return ImageOverlapFilter(against={"bench": ["*"]}).open(Surroundings({"bench": str(evaluation)}))


def shown(*files: Path) -> Row:
    hashes = tuple(str(Images().look(str(file))[0]) for file in files)
    turns = (Turn("user", "What is it?", tuple(map(str, files))),)
    return Row("p/1", "p", "test", turns, "It.", image_hashes=hashes)


@pytest.mark.parametrize("copy", COPIES)
def test_a_copy_is_known_and_named(check: Check, evaluation: Path, tmp_path: Path, copy: str) -> None:
    for number in range(12):
        file = tmp_path / f"{number}.img"
        COPIES[copy](Image.open(evaluation / f"{number}.png"), file)
        said = str(check(shown(file)))
        assert said == f"looks like an evaluation image: {file} like {evaluation / f'{number}.png'}"


def test_other_pictures_pass(check: Check, tmp_path: Path) -> None:
    for number in range(100, 140):
        scene(number).save(tmp_path / f"{number}.png")
        assert check(shown(tmp_path / f"{number}.png")) is None


def test_the_same_forms_in_other_colours_are_another_picture(check: Check, evaluation: Path, tmp_path: Path) -> None:
    red, green, blue = Image.open(evaluation / "3.png").split()
    Image.merge("RGB", (green, blue, red)).save(tmp_path / "other.png")
    assert check(shown(tmp_path / "other.png")) is None


def test_any_image_of_a_row_counts(check: Check, evaluation: Path, tmp_path: Path) -> None:
    scene(200).save(tmp_path / "new.png")
    assert check(shown(tmp_path / "new.png", evaluation / "1.png"))


def test_rows_without_images_pass_and_no_evaluation_image_is_read_for_them(tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_bytes(b"no image")
    check = ImageOverlapFilter(against={"bench": ["*"]}).open(Surroundings({"bench": str(tmp_path)}))
    assert check(shown()) is None
    scene(1).save(tmp_path / "train.png")
    with pytest.raises(DataError, match=r"cannot be compared with(.|\n)*broken\.png"):
        check(shown(tmp_path / "train.png"))


def test_without_evaluation_images_all_pass(tmp_path: Path) -> None:
    scene(1).save(tmp_path / "train.png")
    assert ImageOverlapFilter(against={"bench": ["*"]}).open(Surroundings({}))(shown(tmp_path / "train.png")) is None


def test_photographs_are_told_apart_and_their_copies_known(tmp_path: Path, real: Callable[..., Path]) -> None:
    files = sorted(real("data", "coco_mini_open", "images").rglob("*.jpg"))[:30]
    root = tmp_path / "bench"
    root.mkdir()
    for file in files[:15]:
        (root / file.name).symlink_to(file)
    check = ImageOverlapFilter(against={"bench": ["*"]}).open(Surroundings({"bench": str(root)}))
    for place, file in enumerate(files):
        cut(Image.open(file).convert("RGB"), 0.02).save(tmp_path / file.name, quality=70)
        said = check(shown(tmp_path / file.name))
        assert (said is not None and file.name in said.rpartition(" like ")[2]) == (place < 15), file.name


@pytest.mark.parametrize("bad", [{"distance": 200}, {"margins": []}, {"margins": [0.6]}])
def test_bad_values_are_configuration_errors(bad: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"distance|margins"):
        ImageOverlapFilter(**bad)
