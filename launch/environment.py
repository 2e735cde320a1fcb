"""``python -m launch.environment``: make ``.venv`` ready, from nothing but Python.

The environment lives in a cache, ``${XDG_CACHE_HOME:-~/.cache}/resa/envs/<key>``, where the key is the hash of
requirements.lock, the Python version and the platform; ``.venv`` in the checkout is a link to it. So a second ``make``,
in this clone or another, only checks the link. A ``.venv`` that the user made (a real folder, or a link elsewhere) is
used if it holds what the lock says, and never touched.

Plain standard library: this runs before anything is installed.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

MARKER = ".complete"  # written last: an environment cannot be moved, so it is built in place and marked when whole
OWN_SETTINGS = {  # what pip is told by its environment, for uv
    "PIP_INDEX_URL": "UV_DEFAULT_INDEX",
    "PIP_CERT": "SSL_CERT_FILE",
    "PIP_NO_INDEX": "UV_NO_INDEX",
    "PIP_DEFAULT_TIMEOUT": "UV_HTTP_TIMEOUT",
}
CHECK = """
import sys
from importlib import metadata
try:
    from packaging.requirements import Requirement
except ImportError:
    try:
        from pip._vendor.packaging.requirements import Requirement
    except ImportError:
        sys.exit("packaging")
wrong = []
for line in open(sys.argv[1], encoding="utf-8"):
    line = line.split("#")[0].strip()
    if not line:
        continue
    wanted = Requirement(line)
    if wanted.marker and not wanted.marker.evaluate():
        continue
    try:
        found = metadata.version(wanted.name)
    except metadata.PackageNotFoundError:
        wrong.append(f"{line.split(';')[0].strip()} (absent)")
        continue
    if not wanted.specifier.contains(found, prereleases=True):
        wrong.append(f"{line.split(';')[0].strip()} (has {found})")
print(", ".join(wrong))
"""


class SetupError(Exception):
    """The environment cannot be made; the message says why and what to do."""


@dataclass(frozen=True)
class Environment:
    """The environment of one lock, one Python and one platform.

    Attributes:
        checkout: the folder of this clone, whose ``.venv`` leads to the environment.
        lock: the file of exact versions; cache: the folder that holds the environments.
    """

    checkout: Path
    lock: Path
    cache: Path

    @property
    def key(self) -> str:
        """16 hex digits: the lock's content, the interpreter and the platform."""
        parts = [self.lock.read_text(encoding="utf-8"), sys.version, sys.base_prefix, sysconfig.get_platform()]
        return hashlib.sha256("\0".join([*parts, *platform.libc_ver()]).encode()).hexdigest()[:16]

    @property
    def folder(self) -> Path:
        return self.cache / self.key

    @property
    def link(self) -> Path:
        return self.checkout / ".venv"

    def ready(self) -> bool:
        return (self.folder / MARKER).is_file() and python_of(self.folder).exists()

    def is_own(self) -> bool:
        """Whether ``.venv`` is absent, or a link of ours, which may be replaced."""
        if self.link.is_symlink():
            target = Path(os.readlink(self.link))
            return target.parent == self.cache
        return not self.link.exists()


def python_of(environment: Path) -> Path:
    return environment / "bin" / "python"


def cache_folder(environ: Mapping[str, str]) -> Path:
    """Where environments are kept; ``XDG_CACHE_HOME`` or ``~/.cache``."""
    return Path(environ.get("XDG_CACHE_HOME") or Path.home() / ".cache").expanduser().resolve() / "resa" / "envs"


def ensure(environment: Environment) -> Path:
    """The environment's Python, after everything is installed that is not yet.

    Raises:
        SetupError: the network, the disk or the user's own ``.venv`` does not allow it.
    """
    if not environment.is_own():
        check(environment.link, environment.lock)
        return python_of(environment.link)
    if not environment.ready():
        with exclusively(environment):
            if not environment.ready():
                build(environment)
    point(environment.link, environment.folder)
    return python_of(environment.link)


def check(venv: Path, lock: Path) -> None:
    """That an environment which the user made holds what the lock says.

    Raises:
        SetupError: it does not; names what is missing.
    """
    python = python_of(venv)
    if not python.exists():
        raise SetupError(f"{venv} has no bin/python. Remove it, and run make again to have one made.")
    found = subprocess.run([str(python), "-c", CHECK, str(lock)], capture_output=True, text=True)
    wrong = found.stdout.strip() if found.returncode == 0 else found.stderr.strip()[-300:]
    if wrong:
        raise SetupError(
            f"{venv} is your own environment and is not what {lock.name} says: {wrong}.\n"
            f"Either bring it up to date:  uv pip install --python {python} -r {lock.name}\n"
            f"or remove (or rename) {venv}, and run make again to have one made."
        )


@contextlib.contextmanager
def exclusively(environment: Environment) -> Iterator[None]:
    """One builder at a time for one key; others wait and then find it finished."""
    environment.cache.mkdir(parents=True, exist_ok=True)
    with (environment.cache / f"{environment.key}.lock").open("w") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"waiting: another process is building {environment.folder}", flush=True)
            fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def build(environment: Environment) -> None:
    """Make the environment in its place and mark it; what an earlier, killed build left is removed first."""
    folder, started = environment.folder, time.time()
    print(f"Setting up the Python environment (once for this lock): {folder}", flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    step([sys.executable, "-m", "venv", str(folder)], "python -m venv failed; on Debian: apt-get install python3-venv")
    install(folder, environment.lock)
    (folder / MARKER).write_text(f"{environment.key}\n")
    print(f"Environment ready in {time.time() - started:.0f} s.", flush=True)


def install(folder: Path, lock: Path) -> None:
    """Install the lock with uv, and with pip where uv cannot (a proxy or an index that only pip is set up for)."""
    python = str(python_of(folder))
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    if subprocess.run([*pip, "uv"]).returncode == 0:
        environ = uv_environ(os.environ)
        uv = [python, "-m", "uv", "pip", "install", "--quiet", "--compile-bytecode", "--python", python, "-r"]
        if subprocess.run([*uv, str(lock)], env=environ).returncode == 0:
            return
        print("uv could not install the lock; trying pip, which takes some minutes.", flush=True)
    step([*pip, "-r", str(lock)], "the libraries could not be installed; is the package index (PIP_INDEX_URL) there?")


def uv_environ(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment with pip's settings said in uv's words, where uv is not told otherwise."""
    told = {uv: environ[pip] for pip, uv in OWN_SETTINGS.items() if environ.get(pip) and not environ.get(uv)}
    return {**environ, **told}


def step(command: list[str], otherwise: str) -> None:
    status = subprocess.run(command).returncode
    if status:
        raise SetupError(f"{otherwise}\n(exit status {status}: {' '.join(command)})")


def point(link: Path, folder: Path) -> None:
    """Make ``.venv`` a link to the environment, replacing an older link of ours in one step."""
    if link.is_symlink() and os.readlink(link) == str(folder):
        return
    beside = link.with_name(f".venv.{os.getpid()}")
    beside.symlink_to(folder, target_is_directory=True)
    beside.replace(link)


def clean(environment: Environment) -> None:
    """Remove this lock's environment from the cache, and the link to it; a user's own ``.venv`` stays."""
    with exclusively(environment):
        shutil.rmtree(environment.folder, ignore_errors=True)
    if environment.is_own():
        environment.link.unlink(missing_ok=True)


def main(arguments: list[str] | None = None) -> int:
    checkout = Path(__file__).resolve().parent.parent
    parser = argparse.ArgumentParser(prog="python -m launch.environment", description="Make .venv ready.")
    parser.add_argument("--checkout", type=Path, default=checkout, help="the clone whose .venv is meant")
    parser.add_argument("--lock", type=Path, default=None, help="file of exact versions (requirements.lock)")
    parser.add_argument("--clean", action="store_true", help="remove this lock's environment and the link to it")
    given = parser.parse_args(arguments)
    lock = given.lock or given.checkout / "requirements.lock"
    environment = Environment(given.checkout.resolve(), lock.resolve(), cache_folder(os.environ))
    try:
        if given.clean:
            clean(environment)
        else:
            ensure(environment)
    except (SetupError, OSError) as error:
        print(f"set-up failed: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
