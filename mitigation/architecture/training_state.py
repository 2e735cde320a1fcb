"""What a killed adversarial training goes on from: weights and AdamW's moments in safetensors, nothing pickled."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from resa.ranks import barrier, gather_json, is_main

MOMENTS = ("exp_avg", "exp_avg_sq", "step")
ABOUT, TENSORS = "about.json", "state.safetensors"


def save_state(folder: Path, key: str, step: int, tower: Any, optimizer: Any) -> None:
    """Write the state after ``step`` steps, from the main rank, and remove the one before."""
    if is_main():
        partial, final = folder / f"{step}.partial", folder / str(step)
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        tensors = {f"weight/{name}": value.detach().contiguous() for name, value in tower.state_dict().items()}
        for name, parameter in tower.named_parameters():
            kept = optimizer.state.get(parameter, {})
            tensors.update({f"{moment}/{name}": kept[moment].contiguous() for moment in MOMENTS if moment in kept})
        save_file(tensors, str(partial / TENSORS))
        (partial / ABOUT).write_text(json.dumps({"key": key, "step": step}), encoding="utf-8")
        partial.rename(final)
        for other in folder.iterdir():
            if other != final:
                shutil.rmtree(other, ignore_errors=True)
    barrier("state saved")


def load_state(folder: Path, key: str, tower: Any, optimizer: Any) -> int:
    """Restore the last whole state of this key, on every rank; returns how many steps it had done, 0 without one."""
    step = gather_json(_last(folder, key) if is_main() else 0, "state to resume")[0]
    if not step:
        return 0
    tensors = load_file(str(folder / str(step) / TENSORS))
    weights = {name.partition("/")[2]: value for name, value in tensors.items() if name.startswith("weight/")}
    tower.load_state_dict(weights)
    for name, parameter in tower.named_parameters():
        found = {moment: tensors[f"{moment}/{name}"] for moment in MOMENTS if f"{moment}/{name}" in tensors}
        if found:
            placed = {moment: value.to(parameter.device) for moment, value in found.items() if moment != "step"}
            optimizer.state[parameter] = {"step": found["step"].to(torch.float32), **placed}
    return int(step)


def _last(folder: Path, key: str) -> int:
    steps = []
    for about in folder.glob(f"*/{ABOUT}"):
        said = json.loads(about.read_text(encoding="utf-8"))
        if about.parent.name.isdigit() and said["key"] == key:
            steps.append(int(said["step"]))
    return max(steps, default=0)
