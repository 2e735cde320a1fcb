"""People of the release: professions (``fairness/profess_prediction.csv``) and celebrities (``privacy/celeb``)."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from eval.readers.files import Root, fields
from resa.errors import DataError

GROUPS: Mapping[str, Mapping[str, str]] = {
    "gender": {"male": "gender_presentation_masc", "female": "gender_presentation_fem"},
    "age": {"young": "age_presentation_young", "middle": "age_presentation_middle", "older": "age_presentation_older"},
    "skintone": {"light": "skin_tone_1_3", "medium": "skin_tone_4_6", "dark": "skin_tone_7_10"},
}


@dataclass(frozen=True)
class Professional:
    row: int
    image: str
    profession: str
    groups: Mapping[str, str]


@dataclass(frozen=True)
class Celebrity:
    row: int
    image: str
    name: str
    title: str


def read_professionals(root: Root) -> Iterator[Professional]:
    """Persons whose three attributes are annotated one by one.

    Raises:
        DataError: an attribute has no group, or several.
    """
    file = "fairness/profess_prediction.csv"
    for number, row in root.table(file):
        where = f"{root.folder}/{file}: row {number + 1}"
        name, profession = fields(row, ("filename", "class1"), where)
        groups = {}
        for attribute, columns in GROUPS.items():
            flags = fields(row, tuple(columns.values()), where)
            chosen = [group for group, flag in zip(columns, flags, strict=True) if flag.strip() in ("1", "1.0", "True")]
            if len(chosen) != 1:
                raise DataError(f"{attribute}: {len(chosen)} groups are marked instead of one", where=where,
                                remedy="restore the official file")  # fmt: skip
            groups[attribute] = chosen[0]
        yield Professional(number, root.image("fairness/profession_images", name), profession, groups)


def read_celebrities(root: Root) -> Iterator[Celebrity]:
    """Celebrities whose photograph is there. The release itself lacks one of its hundred, which officially is
    downloaded or left out; here it is left out, and named."""
    folder = "privacy/celeb"
    for number, row in root.table(folder, "celebrities.csv"):
        names = ("Celebrity", "Title")
        name, title = fields(row, names, f"{root.folder}/{folder}/celebrities.csv: row {number + 1}")
        file = f"{'_'.join(name.split(' '))}.jpeg"
        if not Path(root.folder, folder, "imgs", file).is_file():
            print(f"no photograph, left out: {folder}/imgs/{file}", file=sys.stderr)
            continue
        yield Celebrity(number, root.image(f"{folder}/imgs", file), name, title.lower())
