"""The bar that ``build_data.py`` draws on a terminal (a pseudo-terminal here) while a teacher is asked."""

from __future__ import annotations

import os
import pty
import re
import subprocess
from pathlib import Path

from tests.data_builders.taught import CHECKOUT, command, environ, taught, write_vlguard
from tests.loopback import serving


def shown(line: list[str]) -> str:
    """What a command writes to a terminal of 200 columns, until it ends well."""
    ours, its = pty.openpty()
    here = {**environ(), "TERM": "xterm", "COLUMNS": "200", "LINES": "40"}
    with subprocess.Popen(line, cwd=CHECKOUT, env=here, stdin=its, stdout=its, stderr=its) as process:
        os.close(its)
        said = b""
        try:
            while piece := os.read(ours, 65536):
                said += piece
        except OSError:  # its end, on Linux
            pass
        finally:
            os.close(ours)
        assert process.wait(timeout=300) == 0, said.decode(errors="replace")
    return said.decode(errors="replace")


def test_the_bar_says_how_far_it_is_what_is_usable_and_what_it_cost(tmp_path: Path) -> None:
    data = write_vlguard(tmp_path / "vlguard", 40)
    with serving(lambda call: taught(call, wait=0.3)) as server:
        prices = ("teacher.price_in=20000", "teacher.price_out=80000")
        said = shown([*command(server, data, tmp_path / "store", *prices), "progress=true"])
    words = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", said)
    drawn = re.findall(
        r"teacher openai \S+ +(\d+)/(\d+) +\S+ +([\d.]+) % usable, (\d+) calls, .*?, cost ([\d.]+)", words
    )
    assert len({int(done) for done, *_ in drawn}) > 2, words
    assert all(int(done) == int(calls) <= int(total) for done, total, _, calls, _ in drawn)
    assert [float(cost) for *_, cost in drawn] == sorted(float(cost) for *_, cost in drawn)
    assert float(drawn[-1][-1]) > 0
    assert "\x1b[1A" in said, "it is drawn in place"
