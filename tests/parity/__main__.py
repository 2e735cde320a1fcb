"""Check this implementation against vectors from the official code: ``python -m tests.parity [FOLDER]``.

FOLDER holds ``<name>.json`` files, ``{"source", "description", "cases": [{"inputs", "params", "outputs"}]}``;
without it, the tests' own. A file is checked by ``tests/parity/checks/<name>.py`` (see tests.parity.running); one
without a check is named as not covered. The exit status is 1 where a case fails or no file is there.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.parity.running import VECTORS, run_folder

if __name__ == "__main__":
    sys.exit(run_folder(Path(sys.argv[1]) if len(sys.argv) > 1 else VECTORS))
