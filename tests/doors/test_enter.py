"""How a door's run ends: well, with an error, by surprise, or stopped. The pipeline is a stand-in."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from launch.door import enter
from resa.artifacts import Artifact, Stage
from resa.configuration.command import Command
from resa.errors import DataError
from resa.run_folder import running

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def _keep_handlers() -> Iterator[None]:
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def plan(command: Command) -> tuple[dict[str, Any], str]:
    return command.config, str(command.config["method"]["name"])


def arguments(folder: Path, *more: str) -> list[str]:
    return ["tracking=none", f"runs_dir={folder}/runs", f"artifacts_dir={folder}/artifacts", *more]


def made(run: Any) -> Artifact:
    found: Artifact = run.store.make(Stage("dataset", {"seed": run.config["seed"]}), lambda folder: {"rows": 3})
    return found


def well(config: dict[str, Any], run_dir: Path) -> int:
    with running(config, run_dir) as run:
        run.stage("dataset", lambda: made(run))
        run.stage("encoder", lambda: None)
    print(run_dir)
    return 0


def test_a_run_folder_has_configuration_command_log_and_links(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert enter("train", well, plan, arguments(tmp_path, "seed=3")) == 0
    (folder,) = (tmp_path / "runs").iterdir()
    assert "-resa-tiny-s3-" in folder.name
    assert yaml.safe_load((folder / "config.yaml").read_text())["seed"] == 3
    assert "seed=3" in (folder / "command.txt").read_text()
    assert Artifact.load(folder / "artifacts" / "dataset").contents == {"rows": 3}
    said = capfd.readouterr().out.splitlines()
    assert said[-1] == str(folder)
    assert "encoder: not needed" in said
    assert "ended well" in (folder / "log.txt").read_text()


def test_the_same_run_again_says_that_there_was_nothing_to_do(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for _ in range(2):
        assert enter("train", well, plan, arguments(tmp_path)) == 0
    assert len({folder.name.split("-s0-")[1][:6] for folder in (tmp_path / "runs").iterdir()}) == 1
    said = capfd.readouterr().out
    assert said.count("dataset: made in") == 1
    assert "dataset: reused" in said
    assert "nothing to do: all 1 stages were reused" in said


def test_an_error_is_a_message_and_status_1(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    def fails(config: dict[str, Any], run_dir: Path) -> int:
        with running(config, run_dir) as run:
            run.stage("dataset", lambda: (_ for _ in ()).throw(DataError("bad row", where="rows.jsonl:3")))
        return 0

    assert enter("train", fails, plan, arguments(tmp_path)) == 1
    said = capfd.readouterr().err
    assert said == "error: bad row\n  where:  rows.jsonl:3\n"


def test_a_surprise_keeps_its_traceback_in_the_log(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_TOKEN", "planted-secret")

    def fails(config: dict[str, Any], run_dir: Path) -> int:
        with running(config, run_dir) as run:
            run.stage("encoder", lambda: {}["planted-secret"])
        return 0

    assert enter("train", fails, plan, arguments(tmp_path)) == 1
    (folder,) = (tmp_path / "runs").iterdir()
    said, log = capfd.readouterr().err, (folder / "log.txt").read_text()
    assert "unexpected KeyError in encoder" in said
    assert str(folder / "log.txt") in said
    assert "Traceback" not in said
    assert "Traceback" in log
    assert "planted-secret" not in said + log


SLOW = """
import sys, time
sys.path.insert(0, ".")
from launch.door import enter
from resa.run_folder import running

def pipeline(config, run_dir):
    with running(config, run_dir) as run:
        run.stage("checkpoint", lambda: (print("at work", flush=True), time.sleep(60)))
    return 0

sys.exit(enter("train", pipeline, lambda command: (command.config, "resa"), sys.argv[1:]))
"""


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_stopped_run_says_how_to_go_on(tmp_path: Path, number: signal.Signals, status: int) -> None:
    command = [sys.executable, "-c", SLOW, *arguments(tmp_path)]
    process = subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        if "at work" in line:
            break
    started = time.monotonic()
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == status
    assert time.monotonic() - started < 30
    assert "stopped in checkpoint" in out
    assert "to continue: python train.py tracking=none" in out
    assert "Traceback" not in err


def test_runs_dir_that_cannot_be_written(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "runs").write_text("a file")
    assert enter("train", well, plan, arguments(tmp_path)) == 1
    assert "cannot write" in capfd.readouterr().err
