"""Artifacts: content-addressed folders that appear whole or not at all.

A :class:`Stage` names what shapes a result: its kind, its configuration and the keys of its inputs. Its key is the
hash of these, so a stage whose inputs are the same is found again by any run (:meth:`ArtifactStore.make` writes it at
most once), and a killed one continues in its own ``.partial`` folder.
"""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import hashlib
import json
import os
import platform
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

from resa.errors import ArtifactError

MANIFEST = "manifest.json"
CONTENTS = "contents.json"
LIBRARIES = ("torch", "transformers", "trl", "peft", "accelerate", "deepspeed", "datasets", "hydra-core", "wandb")


def canonical_json(value: Any) -> str:
    """JSON with sorted keys and no spaces; dataclasses become objects, paths become strings.

    Raises:
        TypeError: the value holds something JSON cannot say.
    """

    def encode(item: Any) -> Any:
        if dataclasses.is_dataclass(item) and not isinstance(item, type):
            return dataclasses.asdict(item)
        if isinstance(item, Path):
            return str(item)
        raise TypeError(f"{type(item).__name__} cannot be written as JSON: {item!r}")

    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=encode)


def digest(value: Any) -> str:
    """SHA-256 (64 hex digits) of the canonical JSON of ``value``."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def file_digest(path: Path) -> str:
    """SHA-256 (64 hex digits) of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def folder_digest(folder: Path, patterns: Iterable[str] = ("**/*",)) -> str:
    """Fingerprint of a folder that is not an artifact: names, sizes and modification times of its files, and the
    content of its small text files (annotations), so that copying the same data elsewhere changes it at most once.

    Raises:
        ArtifactError: the folder does not exist.
    """
    if not folder.is_dir():
        raise ArtifactError("folder not found", where=str(folder), remedy="correct the path in paths.*")
    if (folder / MANIFEST).is_file():
        return str(json.loads((folder / MANIFEST).read_text())["key"])
    files = sorted({file for pattern in patterns for file in folder.glob(pattern) if file.is_file()})
    rows = []
    for file in files:
        stat = file.stat()
        small = file.suffix in {".json", ".jsonl", ".csv", ".tsv", ".txt"} and stat.st_size < 64 << 20
        rows.append([str(file.relative_to(folder)), stat.st_size, file_digest(file) if small else stat.st_mtime_ns])
    return digest(rows)


def write_atomically(path: Path, text: str) -> None:
    """Write a text file so that a reader sees the old one or the whole new one.

    Raises:
        ArtifactError: the disk is full or the folder cannot be written.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise unwritable(path, error) from error


def unwritable(path: Path, error: OSError) -> ArtifactError:
    """The error for a place that cannot be written, with its cause and remedy."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return ArtifactError(
            "the disk is full", where=str(path), remedy="free some space, or point artifacts_dir to a larger disk"
        )
    return ArtifactError(f"cannot write: {error.strerror or error}", where=str(path), remedy="check its permissions")


@dataclass(frozen=True)
class Stage:
    """What shapes an artifact.

    Attributes:
        kind: ``world``, ``dataset``, ``encoder``, ``checkpoint``, ``responses``, ``judgements`` or ``scores``.
        config: everything configured that shapes the content; JSON values. Nothing that only shapes speed.
        inputs: name -> key of each input artifact (or the digest of an outside folder).
        version: of the code that writes it; raise it when the same configuration would give other content.
    """

    kind: str
    config: Mapping[str, Any]
    inputs: Mapping[str, str] = field(default_factory=dict)
    version: int = 1

    @property
    def key(self) -> str:
        """16 hex digits."""
        return digest([self.kind, self.version, self.config, self.inputs])[:16]


@dataclass(frozen=True)
class Artifact:
    """A finished folder and its manifest. ``reused`` is True where this call did not write it."""

    path: Path
    manifest: Mapping[str, Any]
    reused: bool = True

    @property
    def key(self) -> str:
        return str(self.manifest["key"])

    @property
    def contents(self) -> Mapping[str, Any]:
        """What the stage says is in it: counts, drops, hashes, timings."""
        found: Mapping[str, Any] = self.manifest["contents"]
        return found

    @staticmethod
    def load(path: Path) -> Artifact:
        """Read a finished artifact.

        Raises:
            ArtifactError: there is no manifest, or it cannot be read.
        """
        file = path / MANIFEST
        try:
            return Artifact(path, json.loads(file.read_text(encoding="utf-8")))
        except FileNotFoundError:
            raise ArtifactError(
                "not an artifact: no manifest", where=str(file), remedy="give the folder of one"
            ) from None
        except json.JSONDecodeError as error:
            raise ArtifactError(
                f"damaged manifest: {error}", where=str(file), remedy="delete the folder; the next run makes it again"
            ) from error


class ArtifactStore:
    """Artifacts under ``root/<kind>/<key>``."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, stage: Stage) -> Path:
        return self.root / stage.kind / stage.key

    def find(self, stage: Stage) -> Artifact | None:
        """The finished artifact of a stage, or None."""
        path = self.path(stage)
        return Artifact.load(path) if (path / MANIFEST).is_file() else None

    def make(self, stage: Stage, write: Callable[[Path], Mapping[str, Any] | None]) -> Artifact:
        """The artifact of ``stage``: found where it exists, otherwise written by ``write`` into a partial folder that
        is renamed when whole. An earlier, killed attempt's partial folder is handed to ``write`` as it was left.

        Args:
            stage: what shapes it.
            write: writes the files into the folder it is given and returns what the manifest should say of them; a
                process that cannot return (a rank) leaves the same mapping in ``contents.json`` there.

        Raises:
            ArtifactError: the disk is full, or the folder cannot be written.
        """
        final = self.path(stage)
        with self._locked(final):
            found = self.find(stage)
            if found:
                return found
            partial = final.with_name(f"{final.name}.partial")
            try:
                partial.mkdir(parents=True, exist_ok=True)
                started = time.time()
                contents = dict(write(partial) or {})
                said = partial / CONTENTS
                if said.is_file():
                    contents = {**json.loads(said.read_text(encoding="utf-8")), **contents}
                manifest = self._manifest(stage, partial, contents, time.time() - started)
                write_atomically(partial / MANIFEST, json.dumps(manifest, indent=1, ensure_ascii=False))
                partial.rename(final)
            except OSError as error:
                raise unwritable(partial, error) from error
            return Artifact(final, manifest, reused=False)

    @contextlib.contextmanager
    def _locked(self, final: Path) -> Iterator[None]:
        from filelock import FileLock, Timeout

        lock = final.with_name(f"{final.name}.lock")
        try:
            lock.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise unwritable(lock, error) from error
        holder = FileLock(str(lock))
        try:
            holder.acquire(timeout=0.5)
        except Timeout:
            print(f"waiting: another run is writing {final}", flush=True)
            holder.acquire()
        except OSError as error:
            raise unwritable(lock, error) from error
        try:
            yield
        finally:
            holder.release()

    @staticmethod
    def _manifest(stage: Stage, folder: Path, contents: Mapping[str, Any], seconds: float) -> dict[str, Any]:
        files = [file for file in sorted(folder.rglob("*")) if file.is_file() and file.name not in (MANIFEST, CONTENTS)]
        return {
            "key": stage.key,
            "kind": stage.kind,
            "version": stage.version,
            "config": json.loads(canonical_json(stage.config)),
            "inputs": dict(stage.inputs),
            "contents": contents,
            "files": {"count": len(files), "bytes": sum(file.stat().st_size for file in files)},
            "seconds": round(seconds, 3),
            "made": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "git_commit": git_commit(),
            "python": platform.python_version(),
            "libraries": library_versions(),
        }


def library_versions() -> dict[str, str]:
    """Versions of the libraries a result depends on; ``absent`` where one is not installed."""
    versions = {}
    for name in LIBRARIES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = "absent"
    return versions


def git_commit() -> str | None:
    """The commit of this checkout, with ``+`` where it has uncommitted changes; None outside git."""
    here = Path(__file__).parent
    try:
        head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=here, capture_output=True, text=True, timeout=10)
        dirty = subprocess.run(
            ["git", "status", "--porcelain", "-uno"], cwd=here, capture_output=True, text=True, timeout=10
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return head.stdout.strip() + ("+" if dirty.stdout.strip() else "") if head.returncode == 0 else None


class JsonLog:
    """An append-only JSON Lines file keyed by one field, safe to kill at any byte.

    Opening it drops a torn last line (what a kill leaves) and remembers the keys of the finished ones.

    Raises:
        ArtifactError: a line before the last is not JSON, or lacks the key.
    """

    def __init__(self, path: Path, key: str | tuple[str, ...]) -> None:
        self.path = path
        self.fields = (key,) if isinstance(key, str) else key
        path.parent.mkdir(parents=True, exist_ok=True)
        self.done: set[tuple[Any, ...]] = set()
        self._mend()

    def _mend(self) -> None:
        if not self.path.exists():
            return
        raw = self.path.read_bytes()
        whole = raw[: raw.rfind(b"\n") + 1]
        if len(whole) != len(raw):
            with self.path.open("r+b") as stream:
                stream.truncate(len(whole))
        self.done = {self.key_of(row) for row in read_jsonl(self.path)}

    def key_of(self, row: Mapping[str, Any]) -> tuple[Any, ...]:
        return tuple(row[name] for name in self.fields)

    def append(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Append rows whose key is not there yet, in one write, flushed to disk."""
        lines = []
        for row in rows:
            key = self.key_of(row)
            if key not in self.done:
                self.done.add(key)
                lines.append(json.dumps(row, ensure_ascii=False, sort_keys=True) + "\n")
        if not lines:
            return
        try:
            with self.path.open("ab") as stream:
                stream.write("".join(lines).encode())
                stream.flush()
                os.fsync(stream.fileno())
        except OSError as error:
            raise unwritable(self.path, error) from error

    def rows(self) -> list[dict[str, Any]]:
        return list(read_jsonl(self.path)) if self.path.exists() else []


def read_jsonl(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of a JSON Lines file.

    Raises:
        ArtifactError: a line is not a JSON object; names the file and the line.
    """
    with path.open(encoding="utf-8") as stream:
        for number, line in enumerate(stream, 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except json.JSONDecodeError as error:
                raise ArtifactError(
                    f"not JSON: {error}", where=f"{path}:{number}", remedy="remove or mend the line"
                ) from error
            if not isinstance(row, dict):
                raise ArtifactError("not a JSON object", where=f"{path}:{number}", remedy="remove or mend the line")
            yield row
