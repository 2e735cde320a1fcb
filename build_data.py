"""Build the training data of a method, and show what was kept and what was dropped, and why.

python build_data.py method=resa
python build_data.py --help
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from launch.door import enter
from resa.configuration.command import Command
from resa.errors import ConfigError


def pipeline(config: dict[str, Any], run_dir: Path) -> int:
    """World -> dataset -> a page to read it by. Returns the exit status; the last line printed is the run folder."""
    from data_builders.browser.page import PAGE, write_page
    from data_builders.finished import Dataset
    from data_builders.shards import Shard
    from data_builders.stage import ask_shard, make_dataset, make_world
    from data_builders.table import print_funnel
    from launch.select import launcher_for
    from resa.run_folder import running, shown

    with running(config, run_dir) as run:
        store, launcher = run.store, launcher_for(config, run_dir)
        places = run.stage("world", lambda: make_world(config, store, launcher))
        if config.get("shard"):
            shard = Shard.of(config["shard"])
            run.current = f"shard {shard}"
            built = ask_shard(config, store, launcher, places, shard)
            run.worked = built is None
            run.say(f"{run.current}: {'nothing to ask, the dataset is there' if built else 'asked'}")
            print(run_dir)
            return 0
        dataset = run.stage("dataset", lambda: make_dataset(config, store, launcher, places))
        assert dataset is not None  # plan() refuses an empty slot
        print_funnel(dataset.contents["funnel"])
        run.say(f"dataset: {dataset.path}")
        page = write_page(Dataset.of(dataset), run_dir / PAGE)
        run.say(f"page: {shown(page.path)}  ({page.said})")
    print(run_dir)
    return 0


def plan(command: Command) -> tuple[dict[str, Any], str]:
    """What can be known before any work.

    Raises:
        ConfigError: the method has no data; a shard that is none.
    """
    from data_builders.shards import Shard

    if command.config.get("shard") is not None:
        Shard.of(str(command.config["shard"]))
    method = command.config["method"]
    if method["data"].get("name", "none") == "none":
        raise ConfigError(
            f"method {method['name']!r} has no data to build",
            where="method.data",
            remedy="choose a method that has, or fill the slot: data@method.data=vlguard_cot",
        )
    return command.config, str(method["name"])


if __name__ == "__main__":
    sys.exit(enter("build_data", pipeline, plan))
