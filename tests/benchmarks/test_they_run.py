"""The benchmarks of the data side run, small, and say what they promise; their figures are not looked at."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]


def printed(module: str, *arguments: str) -> list[str]:
    """The lines that a benchmark prints."""
    environ = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    line = [sys.executable, "-m", f"benchmarks.{module}", *arguments]
    done = subprocess.run(line, cwd=CHECKOUT, env=environ, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_an_endpoints_rate_with_and_without_failures() -> None:
    said = printed("teacher_throughput", "--rows", "200", "--latency", "0.02", "--timeout-s", "0.2")
    good, failing = map(json.loads, said)
    assert good["sha256"] == failing["sha256"]
    assert (good["failing"], failing["failing"]) == (0.0, 0.1)
    assert set(good["served"]) == {"good", "most_in_flight"}
    assert sum(failing["served"].get(fault, 0) for fault in ("cut", "broken", "busy")) > 3


def test_what_a_build_costs_and_each_of_its_stages(tmp_path: Path) -> None:
    first, *stages = printed("data_scale", "--records", "400", "--folder", str(tmp_path))
    build = json.loads(first)
    assert build["rows"] > 300
    assert build["peak_gib"] > 0
    assert build["funnel"]
    measured = {line.rpartition("  ")[0].strip() for line in stages if line.endswith("rows/s")}
    assert {"teacher template", "filter leaks", "filter image_overlap", "hf"} <= measured
