"""``launch=slurm``: the door submits itself; in the job, each stage that shares its work is one ``srun torchrun``."""

from __future__ import annotations

import os
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from launch.processes import CHECKOUT, rank_environ, run_job, write_job
from resa.artifacts import canonical_json, write_atomically
from resa.errors import ConfigError, LaunchError
from resa.launching import Job, call

TEMPLATE = "slurm_job.sh.jinja"
INSTALL = "run this on a login node of the cluster, or use launch=local"


@dataclass(frozen=True)
class Slurm:
    """A SLURM job.

    Attributes:
        nodes: how many; processes_per_node: ranks on each, None for one a GPU (or one where gpus_per_node is 0).
        gpus_per_node, cpus_per_task, mem, partition, account, qos, time: as sbatch's options; None leaves them out.
            ``time`` in sbatch's words (``4:00:00``).
        job_name: None for ``resa-<name of the run folder>``.
        sbatch_args: further ``#SBATCH`` options, e.g. ``["--constraint=a100"]``; srun_args: the same for each srun.
        setup: shell lines before anything starts, e.g. ``["module load cuda"]``.
        rendezvous_host: address of the first node for the others; None asks SLURM (NodeAddr).
        grace: seconds between the warning and the end of the time limit, for the run to stop in order.
        requeue: whether a job that was stopped by its time limit or by preemption queues again; it continues.
        wait: whether the command waits for the job, shows its output, and returns its exit status.
        parallel: how many points of a sweep are submitted at a time (with ``wait``, how many jobs are there at a time).
    """

    name: str = "slurm"
    nodes: int = 1
    processes_per_node: int | None = None
    gpus_per_node: int = 0
    cpus_per_task: int | None = None
    mem: str | None = None
    partition: str | None = None
    account: str | None = None
    qos: str | None = None
    time: str | None = None
    job_name: str | None = None
    sbatch_args: Sequence[str] = ()
    srun_args: Sequence[str] = ()
    setup: Sequence[str] = ()
    rendezvous_host: str | None = None
    grace: int = 120
    requeue: bool = True
    wait: bool = False
    parallel: int = 1

    def __post_init__(self) -> None:
        least = {"nodes": 1, "processes_per_node": 1, "gpus_per_node": 0, "cpus_per_task": 1, "grace": 0, "parallel": 1}
        for field, low in least.items():
            value = getattr(self, field)
            if value is not None and (not isinstance(value, int) or value < low):
                raise ConfigError(f"launch.{field} must be a number from {low}, not {value!r}", where=f"launch.{field}")
        for field in ("sbatch_args", "srun_args", "setup"):
            value = getattr(self, field)
            if isinstance(value, str):
                raise ConfigError(
                    f"launch.{field} must be a list", where=f"launch.{field}", remedy=f"launch.{field}=['{value}']"
                )

    @property
    def per_node(self) -> int:
        return self.processes_per_node or max(1, self.gpus_per_node)

    @property
    def world_size(self) -> int:
        return self.nodes * self.per_node


def batch_script(launch: Slurm, run_dir: Path) -> str:
    """The text given to sbatch."""
    import jinja2

    options = {
        "job-name": launch.job_name or f"resa-{run_dir.name}",
        "nodes": launch.nodes,
        "ntasks-per-node": 1,
        "gpus-per-node": launch.gpus_per_node or None,
        "cpus-per-task": launch.cpus_per_task,
        "mem": launch.mem,
        "partition": launch.partition,
        "account": launch.account,
        "qos": launch.qos,
        "time": launch.time,
        "chdir": str(CHECKOUT),
        "output": str(run_dir / "launch" / "slurm-%j.out"),
        "open-mode": "append",
        "signal": f"B:TERM@{launch.grace}",
    }
    lines = [f"--{key}={shlex.quote(str(value))}" for key, value in options.items() if value is not None]
    lines += ["--requeue" if launch.requeue else "--no-requeue", *launch.sbatch_args]
    loader = jinja2.FileSystemLoader(Path(__file__).parent)
    environment = jinja2.Environment(loader=loader, undefined=jinja2.StrictUndefined, keep_trailing_newline=True)
    template = environment.get_template(TEMPLATE)
    return template.render(
        options=lines,
        setup=launch.setup,
        python=shlex.quote(sys.executable),
        checkout=shlex.quote(str(CHECKOUT)),
        run_dir=shlex.quote(str(run_dir)),
        requeue=launch.requeue,
    )


def submit(config: Mapping[str, Any], run_dir: Path, door: str, pipeline: str = "pipeline") -> int:
    """Submit a run: write the resolved configuration and the batch script into the run folder, and call sbatch.

    Returns:
        the exit status of the command: 0, or the job's own with ``launch.wait=true``.

    Raises:
        LaunchError: there is no sbatch here, or it refused; its words are in the message.
    """
    from launch.select import launch_of
    from launch.waiting import wait_for

    launch, run_dir = launch_of(config), run_dir.resolve()
    if not isinstance(launch, Slurm):
        raise LaunchError("submit needs launch=slurm", where="launch")
    folder = run_dir / "launch"
    write_atomically(folder / "run.json", canonical_json({"door": door, "pipeline": pipeline, "config": config}))
    script = folder / "job.sh"
    write_atomically(script, batch_script(launch, run_dir))
    job_id = ask_slurm(["sbatch", "--parsable", str(script)]).split(";")[0].strip()
    print(f"SLURM job {job_id} submitted; output: {folder / f'slurm-{job_id}.out'}", flush=True)
    if launch.wait:
        return wait_for(job_id, folder)
    print(run_dir, flush=True)
    return 0


def ask_slurm(command: list[str]) -> str:
    """The output of a SLURM command.

    Raises:
        LaunchError: the command is not there, or failed.
    """
    try:
        found = subprocess.run(command, capture_output=True, text=True)
    except FileNotFoundError:
        raise LaunchError(f"{command[0]} is not on this machine", where="launch=slurm", remedy=INSTALL) from None
    if found.returncode:
        raise LaunchError(
            f"{command[0]} refused: {(found.stderr or found.stdout).strip()}",
            where=" ".join(command),
            remedy="correct launch.partition, launch.account, launch.time ... for this cluster",
        )
    return found.stdout


@dataclass(frozen=True)
class SlurmSteps:
    """Inside a job: each job that shares its work runs as one srun over the nodes, one torchrun agent on each.

    Attributes:
        launch: the configuration; folder: where job files and rank logs go; host: address of the first node.
    """

    launch: Slurm
    folder: Path
    host: str

    @staticmethod
    def here(launch: Slurm, folder: Path) -> SlurmSteps:
        """The launcher for the SLURM job that this process is in.

        Raises:
            LaunchError: this is not the first node of a SLURM job.
        """
        nodes = os.environ.get("SLURM_JOB_NODELIST")
        if not nodes:
            raise LaunchError(
                "launch=slurm runs inside a SLURM job, and this is none",
                where="SLURM_JOB_NODELIST",
                remedy="start the run by its door, which submits it",
            )
        return SlurmSteps(launch, folder, launch.rendezvous_host or address_of_first(nodes))

    @property
    def world_size(self) -> int:
        return self.launch.world_size

    def run(self, target: str, job: Job, *, ranks: bool) -> None:
        if not ranks:
            call(target, job)
            return
        job_file = write_job(self.folder, target, job)
        cpus = int(os.environ.get("SLURM_CPUS_PER_TASK") or os.environ.get("SLURM_CPUS_ON_NODE") or 1)
        environ = rank_environ(max(1, cpus // self.launch.per_node), os.environ)
        # A SIGTERM would make srun kill its tasks at once; this one it passes on, and the agents take it for a SIGTERM.
        run_job(self.command(job_file, free_port()), job_file, environ, stop=signal.SIGUSR1)

    def command(self, job_file: Path, port: int) -> list[str]:
        launch = self.launch
        step = [f"--nodes={launch.nodes}", f"--ntasks={launch.nodes}", "--ntasks-per-node=1", "--kill-on-bad-exit=1"]
        if launch.gpus_per_node:
            step.append(f"--gpus-per-node={launch.gpus_per_node}")
        if launch.cpus_per_task:  # since SLURM 22.05 srun does not take it over from sbatch
            step.append(f"--cpus-per-task={launch.cpus_per_task}")
        rendezvous = [
            "--rdzv-backend=c10d",
            f"--rdzv-endpoint={self.host}:{port}",
            f"--rdzv-id={os.environ.get('SLURM_JOB_ID', '0')}-{job_file.parent.name}",
        ]
        torchrun = [f"--nnodes={launch.nodes}", f"--nproc-per-node={launch.per_node}", *rendezvous, "--max-restarts=0"]
        return ["srun", *step, *launch.srun_args, sys.executable, "-m", "launch.agent", str(job_file), *torchrun]


def address_of_first(nodes: str) -> str:
    """The address by which the other nodes reach the first one of a SLURM node list.

    Raises:
        LaunchError: scontrol is not there, or does not know the nodes.
    """
    first = ask_slurm(["scontrol", "show", "hostnames", nodes]).split()[0]
    for word in ask_slurm(["scontrol", "show", "node", first]).split():
        if word.startswith("NodeAddr="):
            return word.partition("=")[2]
    return first


def free_port() -> int:
    """A TCP port that is free on this node now."""
    with socket.socket() as listener:
        listener.bind(("", 0))
        return int(listener.getsockname()[1])
