"""A real SLURM cluster on the loopback: one controller, N nodes, all on this machine, all in one folder.

Usable by hand too, to run the pipeline on two nodes without a cluster:

    python tests/launch/slurm_cluster.py FOLDER -- python train.py ... launch=slurm launch.nodes=2 launch.wait=true

Needs Debian's slurm-wlm and munge (``apt-get install slurm-wlm munge``); no accounts, no root daemons left behind.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

NEEDED = ("slurmctld", "slurmd", "munged", "sbatch", "srun", "scontrol")
SEARCHED = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"])

CONF = """\
ClusterName=loopback
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CryptoType=crypto/munge
ProctrackType=proctrack/pgid
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmdParameters=config_overrides
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
KillWait=10
MinJobAge=300
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
SlurmctldTimeout=300
SlurmdTimeout=300
{nodes}
PartitionName=main Nodes={names} Default=YES MaxTime=INFINITE OverTimeLimit=0 State=UP
"""


def missing() -> tuple[str, ...]:
    """The programs that a cluster needs and this machine has not."""
    return tuple(name for name in NEEDED if shutil.which(name, path=SEARCHED) is None)


@contextlib.contextmanager
def cluster(folder: Path, nodes: int = 2, cpus: int = 2) -> Iterator[dict[str, str]]:
    """A running cluster; yields the environment variables with which sbatch and srun find it.

    Args:
        folder: for its configuration, state and logs. Its path must be short: it holds a Unix socket.
        nodes: number of nodes ``n1`` ... ``nN``, with ``cpus`` processors each (as many as one likes: none are bound).

    Raises:
        RuntimeError: it did not come up; the message has the end of its logs.
    """
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "state").mkdir(exist_ok=True)
    conf = write_conf(folder, nodes, cpus)
    environ = {**os.environ, "SLURM_CONF": str(conf), "PATH": SEARCHED}
    daemons: list[subprocess.Popen[bytes]] = []

    def start(*command: str) -> None:
        with (folder / "daemons.log").open("ab") as log:
            daemons.append(subprocess.Popen(command, env=environ, stdout=log, stderr=log, stdin=subprocess.DEVNULL))

    try:
        start(*munge(folder))
        wait_until(lambda: (folder / "munge.socket").exists(), folder, "munged")
        start("slurmctld", "-D", "-c", "-f", str(conf))
        for number in range(1, nodes + 1):
            start("slurmd", "-D", "-N", f"n{number}", "-f", str(conf))
        wait_until(lambda: idle(environ) == nodes, folder, "slurmctld and slurmd")
        yield {"SLURM_CONF": str(conf), "PATH": SEARCHED}
    finally:
        subprocess.run(["scancel", "--state=RUNNING"], env=environ, capture_output=True)
        for daemon in reversed(daemons):
            stop(daemon)


def write_conf(folder: Path, nodes: int, cpus: int) -> Path:
    """slurm.conf: the nodes share this host and differ by their port."""
    host = socket.gethostname().split(".")[0]
    names = [f"n{number}" for number in range(1, nodes + 1)]
    here = f"NodeHostname={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory=4000 State=UNKNOWN"
    lines = [f"NodeName={name} {here} Port={free_port()}" for name in names]
    text = CONF.format(
        host=host,
        controller_port=free_port(),
        user=getpass.getuser(),
        folder=folder,
        nodes="\n".join(lines),
        names=",".join(names),
    )
    conf = folder / "slurm.conf"
    conf.write_text(text)
    return conf


def munge(folder: Path) -> list[str]:
    """The command of a munged of our own, with its own key and socket."""
    key = folder / "munge.key"
    key.write_bytes(secrets.token_bytes(128))
    key.chmod(0o600)
    files = {"socket": "socket", "pid-file": "pid", "log-file": "log", "seed-file": "seed"}
    options = [f"--{option}={folder}/munge.{suffix}" for option, suffix in files.items()]
    return ["munged", "--foreground", "--force", f"--key-file={key}", *options]


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def idle(environ: dict[str, str]) -> int:
    """How many nodes are idle."""
    found = subprocess.run(["sinfo", "-N", "-h", "-t", "idle", "-o", "%N"], env=environ, capture_output=True, text=True)
    return len(found.stdout.split()) if found.returncode == 0 else 0


def wait_until(true: object, folder: Path, what: str, seconds: float = 60) -> None:
    """Raises:
    RuntimeError: it did not become true in time.
    """
    assert callable(true)
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            logs = [f"{log.name}:\n{log.read_text(errors='replace')[-1500:]}" for log in sorted(folder.glob("*.log"))]
            raise RuntimeError(f"{what} did not come up in {seconds:.0f} s\n" + "\n".join(logs))
        time.sleep(0.2)


def stop(daemon: subprocess.Popen[bytes]) -> None:
    daemon.terminate()
    try:
        daemon.wait(timeout=10)
    except subprocess.TimeoutExpired:
        daemon.kill()
        daemon.wait()


def main(arguments: list[str]) -> int:
    if len(arguments) < 3 or arguments[1] != "--":
        print(__doc__)
        return 2
    if missing():
        print(f"not on this machine: {', '.join(missing())}; apt-get install slurm-wlm munge", file=sys.stderr)
        return 1
    with cluster(Path(arguments[0])) as environ:
        return subprocess.run(arguments[2:], env={**os.environ, **environ}).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
