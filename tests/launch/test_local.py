"""``launch=local``: one process stays here, several run under torchrun."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from launch.local import Local, Torchrun
from launch.select import is_submitted, launcher_for, refuse_torchrun
from resa.errors import ConfigError, DataError, LaunchError
from resa.launching import InProcess, call

CHECKOUT = Path(__file__).resolve().parents[2]


def config(deepspeed: str = "none", **launch: Any) -> dict[str, Any]:
    return {"launch": {"_target_": "launch.local.Local", **launch}, "deepspeed": {"name": deepspeed, "config": None}}


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


def test_one_process_without_deepspeed_stays_here(out: Path) -> None:
    launcher = launcher_for(config(), out)
    assert isinstance(launcher, InProcess)
    launcher.run("launch_jobs:meet", {"output_dir": str(out)}, ranks=True)
    assert json.loads((out / "world.json").read_text())["world_size"] == 1


def test_deepspeed_needs_a_process_group_even_alone(out: Path) -> None:
    launcher = launcher_for(config(deepspeed="zero2"), out)
    assert isinstance(launcher, Torchrun)
    assert launcher.world_size == 1


def test_local_is_not_submitted() -> None:
    assert not is_submitted(config())


def test_two_ranks_meet_and_only_rank_0_speaks(out: Path, capfd: pytest.CaptureFixture[str]) -> None:
    launcher = launcher_for(config(processes=2), out)
    launcher.run("launch_jobs:meet", {"output_dir": str(out), "late": 6}, ranks=True)
    world = json.loads((out / "world.json").read_text())
    assert world["world_size"] == 2
    assert world["said"] == [[{"rank": rank, "turn": turn} for rank in range(2)] for turn in range(2)]
    assert world["seen"] == [True, True]
    assert world["threads"] == [str(max(1, (os.cpu_count() or 1) // 2))] * 2
    assert "rank 0 speaks" in capfd.readouterr().out
    assert "rank 1 speaks" in (out / "launch" / "01-launch_jobs" / "rank1.log").read_text()


def test_an_error_of_ours_in_a_rank_is_said_as_it_was(out: Path) -> None:
    with pytest.raises(DataError) as raised:
        Torchrun(2, out).run("launch_jobs:fail", {"how": "known"}, ranks=True)
    assert (raised.value.what, raised.value.where, raised.value.remedy) == (
        "unreadable image",
        "cat.png",
        "replace it",
    )


def test_any_other_error_names_rank_log_and_traceback(out: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(LaunchError, match=r"rank 1 of launch_jobs:fail failed: ValueError: boom") as raised:
        Torchrun(2, out).run("launch_jobs:fail", {"how": "unknown"}, ranks=True)
    assert "launch_jobs.py" in str(raised.value)
    assert "boom" in Path(str(raised.value.where)).read_text()
    assert "Traceback" not in capfd.readouterr().err, "the user reads one message, not torchrun's own as well"


def test_a_killed_rank_is_named_with_its_signal(out: Path) -> None:
    with pytest.raises(LaunchError, match=r"rank 1 was killed by SIGKILL.*memory"):
        Torchrun(2, out).run("launch_jobs:fail", {"how": "killed"}, ranks=True)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_ranks_end_with_the_process_that_started_them(out: Path, number: int) -> None:
    code = (
        "from pathlib import Path; from launch.local import Torchrun; "
        f"Torchrun(2, Path({str(out)!r})).run('launch_jobs:sleep', {{'output_dir': {str(out)!r}}}, ranks=True)"
    )
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join([str(CHECKOUT), str(Path(__file__).parent)])}
    process = subprocess.Popen([sys.executable, "-c", code], env=environ)
    wait_for(lambda: len(list(out.glob("*.pid"))) == 2, seconds=120)
    pids = [int(file.stem) for file in out.glob("*.pid")]
    process.send_signal(number)
    assert process.wait(timeout=60) == (128 + number if number == signal.SIGTERM else -number)
    wait_for(lambda: not any(alive(pid) for pid in pids), seconds=30)
    in_order = 2 if number == signal.SIGTERM else 0
    assert len(list(out.glob("*.ended"))) == in_order


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state not in "ZX"


def wait_for(true: Any, seconds: float) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.2)


def test_a_door_started_by_torchrun_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    refuse_torchrun("train.py")
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(LaunchError, match=r"python train\.py .* launch\.processes=N"):
        refuse_torchrun("train.py")


@pytest.mark.parametrize("values", [{"processes": 0}, {"processes": "many"}, {"parallel": 0}])
def test_bad_values_are_configuration_errors(values: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        Local(**values)


def test_auto_counts_the_gpus_that_are_visible(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1,3")
    assert Local(processes="auto").count() == 3
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert Local(processes="auto").count() == 1


@pytest.mark.parametrize("target", ["launch_jobs", "launch_jobs:absent", "no_such_module:run"])
def test_a_target_that_is_not_there_is_said(target: str) -> None:
    with pytest.raises(LaunchError):
        call(target, {})


def test_a_job_must_be_json(out: Path) -> None:
    with pytest.raises(LaunchError, match="not JSON"):
        Torchrun(2, out).run("launch_jobs:meet", {"path": out}, ranks=True)
