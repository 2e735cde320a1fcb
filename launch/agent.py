"""``python -m launch.agent JOB.json TORCHRUN-ARGUMENTS...``: torchrun on one node, saying what failed in a file.

The same as ``python -m torch.distributed.run ... -m launch.worker JOB.json``, but a failing rank leaves its number and
exit code in ``agent<node>.json`` beside the job instead of torchrun's own traceback on the user's terminal, and its log
goes to ``agent<node>.log``.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
from pathlib import Path

from launch.lifeline import die_with_parent


def main(arguments: list[str]) -> int:
    die_with_parent()
    signal.signal(signal.SIGUSR1, lambda number, frame: os.kill(os.getpid(), signal.SIGTERM))  # see SlurmSteps.run
    job_file, rest = Path(arguments[0]), arguments[1:]
    node = os.environ.get("SLURM_NODEID", "0")
    if "--rdzv-id" in " ".join(rest):
        # Said outright, since guessing it from host names fails where a node has several.
        rest = ["--rdzv-conf", f"is_host={'true' if node == '0' else 'false'}", *rest]

    from torch.distributed import run
    from torch.distributed.elastic.multiprocessing.api import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError

    keep_log(job_file.with_name(f"agent{node}.log"))
    try:
        run.run(run.parse_args([*rest, "-m", "launch.worker", str(job_file)]))
    except ChildFailedError as error:
        failed = {str(rank): failure.exitcode for rank, failure in error.failures.items()}
        job_file.with_name(f"agent{node}.json").write_text(json.dumps({"exit_codes": failed}))
        return 1
    except SignalException as error:
        # Ends well all the same: an exit status would make srun kill the other nodes' agents while they still stop.
        stopped = {"exit_codes": {}, "stopped_by": int(error.sigval)}
        job_file.with_name(f"agent{node}.json").write_text(json.dumps(stopped))
    return 0


def keep_log(file: Path) -> None:
    """Send torchrun's own log records to a file; the terminal belongs to rank 0."""
    handler = logging.FileHandler(file)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    for name in ["torch", *logging.Logger.manager.loggerDict]:
        logger = logging.getLogger(name)
        if name == "torch" or (name.startswith("torch.") and logger.handlers):
            logger.handlers = [handler]
            logger.propagate = False


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
