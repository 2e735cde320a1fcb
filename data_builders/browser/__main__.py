"""Write the page of a finished dataset.

    python -m data_builders.browser DATASET_DIR --out page.html

DATASET_DIR is an artifact (``artifacts/dataset/KEY``) or the run folder of ``build_data.py``, which holds such a page
already (``dataset.html``); ``--most`` puts more rows into it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from data_builders.browser.page import write_page
from data_builders.browser.sampling import MOST
from data_builders.finished import Dataset
from resa.errors import ConfigError, ResaError


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m data_builders.browser", description="A page to read a dataset's rows by."
    )
    parser.add_argument("dataset", type=Path, metavar="DATASET_DIR", help="artifacts/dataset/KEY, or a run folder")
    parser.add_argument("--out", required=True, type=Path, help="the HTML file to write")
    parser.add_argument("--most", type=int, default=MOST, help=f"rows in the page at most (default {MOST})")
    parser.add_argument("--no-images", action="store_true", help="name the images instead of embedding small copies")
    given = parser.parse_args(arguments)
    try:
        if given.most < 1:
            raise ConfigError(f"a page needs at least one row, not {given.most}", where="--most")
        page = write_page(Dataset.load(given.dataset), given.out, given.most, embed=not given.no_images)
    except ResaError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2 if isinstance(error, ConfigError) else 1
    print(f"{page.said}, {page.path.stat().st_size / 1e6:.1f} MB")
    print(page.path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
