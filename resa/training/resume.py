"""Going on after a kill: which saved state is whole, and whether it belongs to this run.

A state counts only once its ``resume.json`` stands in it, written after every rank has saved its part. DeepSpeed itself
meets another rank count with a ZeRORuntimeException and another set of weights with a tensor-size error; both are said
in words here, before anything is loaded.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from resa.artifacts import write_atomically
from resa.errors import TrainingError
from resa.ranks import barrier, is_main

RECORD = "resume.json"
PREFIX = "checkpoint-"


class ResumeRecord(TrainerCallback):
    """Marks each saved state as whole, with what must be the same when it is resumed.

    Args:
        record: JSON values: world size, ZeRO stage, hash of the trainable weights, rows and steps.
    """

    def __init__(self, record: dict[str, Any]) -> None:
        self.record = record

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        barrier("saved")
        if state.is_world_process_zero:
            folder = Path(args.output_dir) / f"{PREFIX}{state.global_step}"
            write_atomically(folder / RECORD, json.dumps({**self.record, "step": state.global_step}))


def last_state(folder: Path, record: dict[str, Any]) -> Path | None:
    """The newest whole state, or None. States that a kill left unfinished are removed. Every rank calls this.

    Args:
        folder: where the trainer saves its states.
        record: of this run; must equal the state's.

    Raises:
        TrainingError: the state was saved by a run of another shape.
    """
    states = sorted(folder.glob(f"{PREFIX}*"), key=lambda path: int(path.name.removeprefix(PREFIX)), reverse=True)
    whole = [path for path in states if (path / RECORD).is_file()]
    barrier("states listed")
    if is_main():
        for path in states:
            if path not in whole:
                shutil.rmtree(path)
    barrier("states cleared")
    if not whole:
        return None
    saved = json.loads((whole[0] / RECORD).read_text(encoding="utf-8"))
    other = [
        f"{name}: {saved.get(name)} then, {value} now" for name, value in record.items() if saved.get(name) != value
    ]
    if other:
        raise TrainingError(
            f"cannot resume: the state of step {saved.get('step')} was saved by another run ({'; '.join(other)})",
            where=str(whole[0]),
            remedy="use the same launch, deepspeed and training settings again, or delete this folder to begin anew",
        )
    return whole[0]
