"""``launch=slurm``: what is submitted, and a real job on a two-node cluster on the loopback."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from launch.select import is_submitted, launcher_for
from launch.slurm import Slurm, SlurmSteps, batch_script, submit
from launch.waiting import wait_for
from resa.errors import ConfigError, LaunchError


def slurm_cluster() -> ModuleType:
    spec = importlib.util.spec_from_file_location("slurm_cluster", Path(__file__).with_name("slurm_cluster.py"))
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def config(**launch: Any) -> dict[str, Any]:
    return {"launch": {"_target_": "launch.slurm.Slurm", **launch}, "deepspeed": {"name": "none", "config": None}}


def test_slurm_is_submitted() -> None:
    assert is_submitted(config())


def test_the_batch_script_says_what_was_configured(tmp_path: Path) -> None:
    launch = Slurm(
        nodes=2,
        gpus_per_node=4,
        partition="long",
        time="4:00:00",
        sbatch_args=["--constraint=a100"],
        setup=["module load x"],
    )
    script = batch_script(launch, tmp_path)
    options = [line.removeprefix("#SBATCH ") for line in script.splitlines() if line.startswith("#SBATCH")]
    assert {"--nodes=2", "--gpus-per-node=4", "--partition=long", "--time=4:00:00", "--constraint=a100"} <= set(options)
    assert {"--signal=B:TERM@120", "--requeue", "--ntasks-per-node=1"} <= set(options)
    assert not [option for option in options if option.startswith(("--account", "--qos", "--mem"))], "unset: left out"
    assert "\nmodule load x\n" in script
    assert "scontrol requeue" in script
    assert subprocess.run(["bash", "-n"], input=script, text=True).returncode == 0


def test_without_requeue_nothing_queues_again(tmp_path: Path) -> None:
    script = batch_script(Slurm(requeue=False), tmp_path)
    assert "--no-requeue" in script
    assert "scontrol requeue" not in script


def test_ranks_are_nodes_times_gpus() -> None:
    assert Slurm(nodes=2, gpus_per_node=8).world_size == 16
    assert Slurm(nodes=2).world_size == 2
    assert Slurm(nodes=2, processes_per_node=3).world_size == 6


@pytest.mark.parametrize("values", [{"nodes": 0}, {"setup": "module load cuda"}, {"gpus_per_node": "many"}])
def test_bad_values_are_configuration_errors(values: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"launch\."):
        Slurm(**values)


def test_a_step_is_one_agent_a_node(tmp_path: Path) -> None:
    launch = Slurm(nodes=2, gpus_per_node=4, cpus_per_task=8, srun_args=["--mpi=none"])
    command = SlurmSteps(launch, tmp_path, "10.0.0.7").command(tmp_path / "01-x" / "job.json", 29500)
    assert command[:4] == ["srun", "--nodes=2", "--ntasks=2", "--ntasks-per-node=1"]
    assert {"--kill-on-bad-exit=1", "--gpus-per-node=4", "--cpus-per-task=8", "--mpi=none"} <= set(command)
    assert {"--nnodes=2", "--nproc-per-node=4", "--rdzv-endpoint=10.0.0.7:29500"} <= set(command)


def test_outside_of_a_job_there_are_no_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SLURM_JOB_NODELIST", raising=False)
    with pytest.raises(LaunchError, match="door"):
        launcher_for(config(nodes=2), tmp_path)


def test_without_slurm_the_message_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LaunchError, match="sbatch is not on this machine"):
        submit(config(), tmp_path, "train.py")


def test_waiting_shows_the_output_and_returns_the_status(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answers = iter(
        [
            "JobId=7 JobState=PENDING Reason=None ExitCode=0:0",
            "JobId=7 JobState=RUNNING ExitCode=0:0",
            "JobId=7 JobState=FAILED ExitCode=3:0",
        ]
    )

    def ask(command: list[str]) -> str:
        with (tmp_path / "slurm-7.out").open("a") as stream:
            stream.write("line\n")
        return next(answers)

    assert wait_for("7", tmp_path, ask, pause=0) == 3
    printed = capsys.readouterr()
    assert printed.out == "line\n" * 3
    assert "SLURM job 7 ended as FAILED" in printed.err


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    module = slurm_cluster()
    if module.missing():
        pytest.skip(f"no SLURM here ({', '.join(module.missing())} missing): apt-get install slurm-wlm munge")
    with module.cluster(tmp_path_factory.mktemp("slurm"), nodes=2) as environ:
        yield environ


@pytest.fixture
def on_cluster(cluster: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for key, value in cluster.items():
        monkeypatch.setenv(key, value)


@pytest.mark.slurm
@pytest.mark.usefixtures("on_cluster")
def test_a_job_on_two_nodes(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert submit(config(nodes=2, wait=True), tmp_path, "fake_door.py") == 0
    world = json.loads((tmp_path / "world.json").read_text())
    assert world["world_size"] == 2
    assert world["said"][0] == [{"rank": 0, "turn": 0}, {"rank": 1, "turn": 0}]
    printed = capfd.readouterr().out
    assert "2 ranks in job" in printed
    assert printed.strip().splitlines()[-1] == str(tmp_path), "the last line is the run folder, as without SLURM"
    assert "rank 1 speaks" in (tmp_path / "launch" / "01-launch_jobs" / "rank1.log").read_text()


@pytest.mark.slurm
@pytest.mark.usefixtures("on_cluster")
def test_an_error_on_another_node_ends_the_job_with_its_message(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert submit({**config(nodes=2, wait=True), "how": "known"}, tmp_path, "fake_door.py") == 1
    assert "error: unreadable image\n  where:  cat.png\n  remedy: replace it" in capfd.readouterr().out


@pytest.mark.slurm
@pytest.mark.usefixtures("on_cluster")
def test_sbatchs_refusal_is_passed_on(tmp_path: Path) -> None:
    with pytest.raises(LaunchError, match=r"sbatch refused: .*partition"):
        submit(config(partition="no_such"), tmp_path, "fake_door.py")


@pytest.mark.slurm
@pytest.mark.slow
@pytest.mark.usefixtures("on_cluster")
def test_a_warned_job_queues_again_and_continues(tmp_path: Path) -> None:
    """SLURM's warning before the time limit, sent by hand: the ranks end, the job queues again (SLURM holds it back for
    two minutes) and the second attempt finishes the run."""
    assert submit({**config(nodes=2), "sleep_once": True}, tmp_path, "fake_door.py") == 0
    end = time.monotonic() + 120
    while len(list(tmp_path.glob("*.pid"))) < 2:
        assert time.monotonic() < end, "the ranks did not start"
        time.sleep(0.5)
    job_id = next((tmp_path / "launch").glob("slurm-*.out")).stem.removeprefix("slurm-")
    subprocess.run(["scancel", "--batch", "--signal=TERM", job_id], check=True)
    assert wait_for(job_id, tmp_path / "launch") == 0
    assert json.loads((tmp_path / "world.json").read_text())["world_size"] == 2
    assert len(list(tmp_path.glob("*.ended"))) == 2, "the ranks had time to end in order"
    assert "queueing again" in (tmp_path / "launch" / f"slurm-{job_id}.out").read_text()
