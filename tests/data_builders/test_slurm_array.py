"""The asking as a SLURM array, by the script that docs/data.md gives, on a real two-node cluster on this machine."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.data_builders.taught import CHECKOUT, build, command, dataset_of, environ, taught, write_vlguard
from tests.launch.slurm_cluster import cluster, missing
from tests.loopback import serving


def documented_script(shards: int) -> str:
    """``ask.sh`` as it stands in the docs, for so many shards instead of eight."""
    said = (CHECKOUT / "docs" / "data.md").read_text(encoding="utf-8")
    found = re.search(r"^    #!/bin/bash\n(?:    .*\n)+", said, re.MULTILINE)
    assert found
    script = re.sub("^    ", "", found[0], flags=re.MULTILINE)
    assert "--array=1-8" in script
    assert "shard=$SLURM_ARRAY_TASK_ID/8" in script
    return script.replace("1-8", f"1-{shards}").replace("/8", f"/{shards}")


@pytest.mark.slurm
@pytest.mark.skipif(bool(missing()), reason=f"no SLURM here ({', '.join(missing())}): apt-get install slurm-wlm munge")
def test_an_array_asks_what_one_process_would_and_the_dataset_is_the_same(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("a")  # short: a socket lies in it
    data, script = write_vlguard(folder / "data", 20), folder / "ask.sh"
    script.write_text(documented_script(3))
    with serving(taught) as server, cluster(folder / "s", nodes=2) as found:
        assert build(server, data, folder / "one").returncode == 0
        questions = sorted(call.prompt for _, call in server.calls)
        server.calls.clear()

        _python, _door, *arguments = command(server, data, folder / "array")
        here = {**environ(), **found, "PATH": os.pathsep.join([str(Path(sys.executable).parent), found["PATH"]])}
        line = ["sbatch", "--wait", "--output", str(folder / "%a.out"), str(script), *arguments]
        done = subprocess.run(line, cwd=CHECKOUT, env=here, capture_output=True, text=True, timeout=300)
        said = {file.name: file.read_text() for file in sorted(folder.glob("*.out"))}
        assert done.returncode == 0, (done.stderr, said)
        assert [re.search(r"shard (\d)/3: \d+ rows", text)[1] for text in said.values()] == ["1", "2", "3"]  # type: ignore[index]
        assert sorted(call.prompt for _, call in server.calls) == questions

        assert build(server, data, folder / "array").returncode == 0
        assert len(server.calls) == len(questions)
    assert dataset_of(folder / "array") == dataset_of(folder / "one")
