"""``make setup``: real virtual environments, from a tiny lock and a package index that is a folder."""

from __future__ import annotations

import base64
import hashlib
import os
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from launch.environment import Environment, cache_folder, ensure, uv_environ

CHECKOUT = Path(__file__).resolve().parents[2]


def wheel(folder: Path, version: str) -> None:
    """A package named ``resa-probe`` with one module that knows its version."""
    info = f"resa_probe-{version}.dist-info"
    files = {
        "resa_probe.py": f"VERSION = {version!r}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: resa-probe\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = [f"{name},sha256={hashed(text)},{len(text.encode())}" for name, text in files.items()]
    files[f"{info}/RECORD"] = "\n".join([*record, f"{info}/RECORD,,"]) + "\n"
    with zipfile.ZipFile(folder / f"resa_probe-{version}-py3-none-any.whl", "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)


def hashed(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


@pytest.fixture(scope="module")
def offline(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Environment variables: an index that is a folder (without uv, so pip does the work), and a cache of our own."""
    index = tmp_path_factory.mktemp("index")
    for version in ("1.0", "2.0"):
        wheel(index, version)
    cache = tmp_path_factory.mktemp("cache")
    told = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(index), "PIP_CONFIG_FILE": os.devnull}
    return {**os.environ, **told, "XDG_CACHE_HOME": str(cache), "PYTHONPATH": str(CHECKOUT)}


def clone(folder: Path, version: str = "1.0") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "requirements.lock").write_text(
        f"# exact versions\nresa-probe=={version}\nnot-for-us==9 ; sys_platform == 'emscripten'\n"
    )
    return folder


def setup(checkout: Path, environ: dict[str, str], *more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "launch.environment", "--checkout", str(checkout), *more]
    return subprocess.run(command, env=environ, capture_output=True, text=True)


def probe(checkout: Path) -> str:
    code = "import resa_probe; print(resa_probe.VERSION)"
    found = subprocess.run([str(checkout / ".venv" / "bin" / "python"), "-c", code], capture_output=True, text=True)
    return found.stdout.strip()


def test_two_clones_share_one_environment_and_the_second_is_quick(tmp_path: Path, offline: dict[str, str]) -> None:
    first, second = clone(tmp_path / "first"), clone(tmp_path / "second")
    made = setup(first, offline)
    assert made.returncode == 0, made.stderr
    assert "Environment ready" in made.stdout
    assert probe(first) == "1.0"
    started = time.monotonic()
    again = setup(second, offline)
    assert (again.returncode, again.stdout) == (0, "")
    assert time.monotonic() - started < 5
    assert (second / ".venv").resolve() == (first / ".venv").resolve()


def test_a_killed_build_is_not_taken_for_whole(tmp_path: Path, offline: dict[str, str]) -> None:
    checkout = clone(tmp_path / "clone")
    assert setup(checkout, offline).returncode == 0
    folder = (checkout / ".venv").resolve()
    (folder / ".complete").unlink()
    (folder / "left-behind").touch()
    assert "Environment ready" in setup(checkout, offline).stdout
    assert not (folder / "left-behind").exists()
    assert probe(checkout) == "1.0"


def test_two_at_once_build_once_and_a_new_lock_moves_the_link(tmp_path: Path, offline: dict[str, str]) -> None:
    one, other = clone(tmp_path / "one", "2.0"), clone(tmp_path / "other", "2.0")
    command = [sys.executable, "-m", "launch.environment", "--checkout"]
    running = [
        subprocess.Popen([*command, str(checkout)], env=offline, stdout=subprocess.PIPE, text=True)
        for checkout in (one, other)
    ]
    printed = [process.communicate(timeout=120)[0] for process in running]
    assert [process.returncode for process in running] == [0, 0]
    assert sum("Environment ready" in text for text in printed) == 1
    assert (probe(one), probe(other)) == ("2.0", "2.0")
    clone(one, "1.0")
    assert setup(one, offline).returncode == 0
    assert (probe(one), probe(other)) == ("1.0", "2.0")


def test_what_cannot_be_installed_leaves_no_link(tmp_path: Path, offline: dict[str, str]) -> None:
    checkout = clone(tmp_path / "clone", "3.0")
    failed = setup(checkout, offline)
    assert failed.returncode == 1
    assert "set-up failed: the libraries could not be installed" in failed.stderr
    assert not os.path.lexists(checkout / ".venv")


def test_a_users_own_environment_is_used_or_refused_but_never_touched(tmp_path: Path, offline: dict[str, str]) -> None:
    theirs = clone(tmp_path / "theirs")
    assert setup(theirs, offline).returncode == 0
    checkout = clone(tmp_path / "clone")
    (checkout / "their-venv").symlink_to((theirs / ".venv").resolve())
    (checkout / ".venv").symlink_to(checkout / "their-venv")
    assert setup(checkout, offline).returncode == 0
    clone(checkout, "2.0")
    refused = setup(checkout, offline)
    assert refused.returncode == 1
    assert "resa-probe==2.0 (has 1.0)" in refused.stderr
    assert "uv pip install --python" in refused.stderr
    assert probe(checkout) == "1.0"


def test_clean_removes_the_environment_and_the_link(tmp_path: Path, offline: dict[str, str]) -> None:
    checkout = clone(tmp_path / "clone")
    assert setup(checkout, offline).returncode == 0
    folder = (checkout / ".venv").resolve()
    assert setup(checkout, offline, "--clean").returncode == 0
    assert not folder.exists()
    assert not os.path.lexists(checkout / ".venv")


def test_an_empty_folder_is_not_an_environment(tmp_path: Path) -> None:
    checkout = clone(tmp_path / "clone")
    (checkout / ".venv").mkdir()
    environment = Environment(checkout, checkout / "requirements.lock", tmp_path / "cache")
    with pytest.raises(Exception, match=r"has no bin/python\. Remove it"):
        ensure(environment)


def test_the_cache_is_where_xdg_says(tmp_path: Path) -> None:
    assert cache_folder({"XDG_CACHE_HOME": str(tmp_path)}) == tmp_path / "resa" / "envs"
    assert cache_folder({}) == Path.home().resolve() / ".cache" / "resa" / "envs"


def test_uv_hears_what_pip_was_told_unless_told_itself() -> None:
    told = uv_environ({"PIP_CERT": "ca.pem", "PIP_INDEX_URL": "https://mirror", "UV_DEFAULT_INDEX": "https://other"})
    assert told["SSL_CERT_FILE"] == "ca.pem"
    assert told["UV_DEFAULT_INDEX"] == "https://other"
