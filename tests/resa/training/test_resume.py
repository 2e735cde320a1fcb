"""A training run that is killed goes on, and ends where an undisturbed one ends."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from tests.resa.training.jobs import finish, job, losses, start, write_rows

SETTINGS: dict[str, Any] = {
    "language_model": "lora",
    "lora_dropout": 0.1,
    "max_steps": 12,
    "save_every": 2,
    "batch_size": 4,
    "schedule": "cosine",
}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_rows(tmp_path_factory.mktemp("resume") / "data", 16, lambda number: number % 2 == 0)


def kill_after(process: Any, output: Path, steps: int) -> None:
    """Kill -9 once ``steps`` losses are written and a state is whole."""
    deadline = time.monotonic() + 240
    while time.monotonic() < deadline and process.poll() is None:
        file = output / "losses.jsonl"
        whole = list((output / ".work" / "states").glob("checkpoint-*/resume.json"))
        if whole and file.is_file() and len(file.read_bytes().splitlines()) >= steps:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            return
        time.sleep(0.005)
    raise AssertionError("it ended before it could be killed")


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory, tiny_qwen: Path, data: Path) -> tuple[Path, Path, Path]:
    """Folders of an undisturbed run, of one killed and resumed (with a torn state left over), and of a killed one."""
    folder = tmp_path_factory.mktemp("killed")
    whole, broken = folder / "whole", folder / "broken"
    slow = job(broken, tiny_qwen, data, **SETTINGS)
    process = start([slow], folder / "first")
    kill_after(process, broken, 5)
    assert not (broken / "contents.json").exists()
    torn = broken / ".work" / "states" / "checkpoint-11"
    torn.mkdir(exist_ok=True)
    (torn / "trainer_state.json").write_text("{")
    import shutil

    left = folder / "left"
    shutil.copytree(broken, left)
    finish(start([slow, job(whole, tiny_qwen, data, **SETTINGS)], folder / "second"), folder / "second")
    return whole, broken, left


def test_losses_and_weights_equal_an_undisturbed_run(killed: tuple[Path, Path, Path]) -> None:
    from safetensors.torch import load_file

    whole, broken, _ = killed
    assert losses(broken) == losses(whole)
    assert len(losses(whole)) == SETTINGS["max_steps"]
    weights, others = (load_file(folder / "adapter" / "adapter_model.safetensors") for folder in (whole, broken))
    assert weights.keys() == others.keys()
    assert all(weights[name].equal(others[name]) for name in weights)
    assert any(value.any() for name, value in weights.items() if "lora_B" in name), "it did not train"


def test_nothing_but_the_checkpoint_is_left(killed: tuple[Path, Path, Path]) -> None:
    whole, broken, _ = killed
    assert {path.name for path in whole.iterdir()} == {path.name for path in broken.iterdir()}
    assert not (broken / ".work").exists()
    assert not list(broken.rglob("*.bin"))
    assert json.loads((broken / "contents.json").read_text())["steps"] == SETTINGS["max_steps"]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"world_size": 2}, "world_size: 1 then, 2 now"),
        ({"trainable": "0123456789abcdef"}, "trainable: .* then, 0123456789abcdef now"),
    ],
)
def test_a_state_of_another_shape_is_refused_before_it_is_loaded(
    killed: tuple[Path, Path, Path], changed: dict[str, Any], said: str
) -> None:
    from resa.errors import TrainingError
    from resa.training.resume import RECORD, last_state

    states = killed[2] / ".work" / "states"
    saved = next(states.glob(f"checkpoint-*/{RECORD}"))
    record = {name: value for name, value in json.loads(saved.read_text()).items() if name != "step"}
    found = last_state(states, record)
    assert found is not None
    assert not (states / "checkpoint-11").exists(), "a torn state is removed"
    with pytest.raises(TrainingError, match=f"cannot resume: .*{said}"):
        last_state(states, {**record, **changed})
