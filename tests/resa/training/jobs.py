"""Runs training jobs one after the other in one process (or one set of ranks), because each start costs ten seconds.

python -m tests.resa.training.jobs JOBS.json          (under torchrun: every rank runs this)
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
NONE = {"name": "none"}
SFT = {"_target_": "mitigation.training.sft.SFT", "name": "sft", "loss": "nll"}
METHOD = {"name": "test", "data": NONE, "encoder": NONE, "objective": SFT, "guard": NONE}
TRAINING = {
    "_target_": "resa.training.spec.TrainingSpec",
    "language_model": "full",
    "learning_rate": 1e-3,
    "lora_rank": 4,
    "lora_dropout": 0.0,
    "batch_size": 8,
    "micro_batch_size": 4,
    "max_length": 512,
    "max_steps": 4,
    "warmup": 0.0,
    "gradient_checkpointing": False,
    "workers": 0,
    "save_every": 0,
}


def write_rows(folder: Path, count: int, has_image: Callable[[int], bool]) -> Path:
    """A dataset artifact's ``rows.jsonl`` of ``count`` rows, with images where ``has_image``."""
    from tests.tiny_models import draw_image

    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for number in range(count):
        images = [draw_image(folder / "images" / f"{number}.png", number)] if has_image(number) else []
        turn = {"role": "user", "text": f"what is number {number}?", "images": images}
        completion = f"<think>step {number}</think>\nthe quick brown fox {'again ' * (number % 4)}{number}"
        rows.append({"id": f"row{number}", "prompt": [turn], "completion": completion, "images": images})
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


def job(output: Path, model: Path, dataset: Path, stage: int | None = None, **training: Any) -> dict[str, Any]:
    """A job of :func:`resa.training.run.run`, without DeepSpeed where ``stage`` is None."""
    spread = {"_target_": "resa.training.spec.DeepSpeedSpec", "name": "zero", "stage": stage}
    return {
        "output_dir": str(output),
        "key": "test",
        "model": {"path": str(model)},
        "method": METHOD,
        "dataset": str(dataset),
        "encoder": None,
        "training": {**TRAINING, **training},
        "deepspeed": NONE if stage is None else spread,
        "seed": 0,
        "progress": False,
    }


def losses(output: str | Path) -> list[float]:
    """The loss of each step."""
    return [json.loads(line)["loss"] for line in (Path(output) / "losses.jsonl").read_text().splitlines()]


def start(jobs: list[dict[str, Any]], folder: Path, ranks: int = 1) -> subprocess.Popen[str]:
    """Start the jobs in a process (or under torchrun) of their own; output goes to ``folder/log``."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "jobs.json").write_text(json.dumps(jobs))
    torchrun = ["-m", "torch.distributed.run", f"--nproc_per_node={ranks}", "--rdzv_backend=c10d"]
    torchrun += ["--rdzv_endpoint=127.0.0.1:0"]
    command = [sys.executable, *(torchrun if ranks > 1 else []), "-m", "tests.resa.training.jobs"]
    return subprocess.Popen(
        [*command, str(folder / "jobs.json")],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": ""},
        stdout=(folder / "log").open("w"),
        stderr=subprocess.STDOUT,
        text=True,
    )


def finish(process: subprocess.Popen[str], folder: Path, timeout: float = 570) -> str:
    """Wait for it, and its output; fails the test where it failed."""
    try:
        code = process.wait(timeout)
    except BaseException as error:
        process.terminate()  # not kill: torchrun then ends its ranks
        process.wait(60)
        raise AssertionError(f"not finished: {error!r}\n{(folder / 'log').read_text()[-3000:]}") from None
    log = (folder / "log").read_text()
    assert code == 0, log[-6000:]
    return log


def main() -> None:
    from resa.training.run import run

    for one in json.loads(Path(sys.argv[1]).read_text()):
        run(one)


if __name__ == "__main__":
    main()
