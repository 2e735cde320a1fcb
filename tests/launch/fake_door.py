"""A door whose pipeline is one cheap job on every rank."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from launch.select import launcher_for


def pipeline(config: dict[str, Any], run_dir: Path) -> int:
    launcher = launcher_for(config, run_dir)
    job = {"output_dir": str(run_dir), "how": config.get("how", "")}
    target = "launch_jobs:fail" if config.get("how") else "launch_jobs:meet"
    if config.get("sleep_once") and not list(run_dir.glob("*.pid")):
        target = "launch_jobs:sleep"
    launcher.run(target, job, ranks=True)
    print(f"{launcher.world_size} ranks in job {os.environ['SLURM_JOB_ID']}")
    print(run_dir)
    return 0
