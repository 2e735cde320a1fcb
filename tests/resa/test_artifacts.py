"""Artifacts appear whole or not at all, are found by what shaped them, and survive being killed."""

from __future__ import annotations

import errno
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resa.artifacts import Artifact, ArtifactStore, JsonLog, Stage, folder_digest, write_atomically
from resa.errors import ArtifactError

STAGE = Stage("dataset", {"seed": 0, "rows": 3}, {"world": "abc"})


def test_a_stage_is_written_once_and_then_found(tmp_path: Path) -> None:
    store = ArtifactStore(tmp_path)
    calls: list[Path] = []

    def write(folder: Path) -> Mapping[str, Any]:
        calls.append(folder)
        (folder / "rows.txt").write_text("abc")
        return {"rows": 3}

    first, second = store.make(STAGE, write), store.make(STAGE, write)
    assert len(calls) == 1
    assert (first.reused, second.reused) == (False, True)
    assert second.path == tmp_path / "dataset" / STAGE.key
    assert second.contents == {"rows": 3}
    assert second.manifest["files"] == {"count": 1, "bytes": 3}
    assert second.manifest["inputs"] == {"world": "abc"}
    assert "torch" in second.manifest["libraries"]


@given(st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=5), max_size=4))
def test_the_key_depends_on_content_and_not_on_order(config: dict[str, Any]) -> None:
    turned = dict(reversed(config.items()))
    assert Stage("a", config).key == Stage("a", turned).key
    assert Stage("a", config).key != Stage("b", config).key
    assert Stage("a", config).key != Stage("a", config, version=2).key
    assert Stage("a", config).key != Stage("a", config, {"world": "x"}).key


def test_a_failed_stage_leaves_no_artifact_and_continues_where_it_stopped(tmp_path: Path) -> None:
    store = ArtifactStore(tmp_path)

    def fail(folder: Path) -> None:
        (folder / "half").write_text("half")
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError):
        store.make(STAGE, fail)
    assert store.find(STAGE) is None
    assert not store.path(STAGE).exists()
    done = store.make(STAGE, lambda folder: {"found": (folder / "half").read_text()})
    assert done.contents == {"found": "half"}


def test_what_a_rank_leaves_in_contents_json_reaches_the_manifest(tmp_path: Path) -> None:
    def write(folder: Path) -> None:
        (folder / "contents.json").write_text('{"loss": 1.5}')

    assert ArtifactStore(tmp_path).make(STAGE, write).contents == {"loss": 1.5}


def test_a_full_disk_is_named_with_its_place_and_remedy(tmp_path: Path) -> None:
    def write(folder: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(ArtifactError, match=r"disk is full[\s\S]*dataset[\s\S]*artifacts_dir"):
        ArtifactStore(tmp_path).make(STAGE, write)
    assert ArtifactStore(tmp_path).find(STAGE) is None


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, a device that is always full")
def test_a_really_full_device_leaves_nothing_half_written(tmp_path: Path) -> None:
    log = JsonLog(tmp_path / "log.jsonl", "id")
    log.append([{"id": 1}])
    log.path.unlink()
    log.path.symlink_to("/dev/full")
    with pytest.raises(ArtifactError, match="disk is full"):
        log.append([{"id": 2}])


def _slow_write(folder: Path) -> Mapping[str, Any]:
    time.sleep(0.4)
    return {"pid": os.getpid()}


def _make(root: str, queue: Any) -> None:
    queue.put(ArtifactStore(Path(root)).make(STAGE, _slow_write).contents["pid"])


def test_two_runs_never_write_one_folder(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    runs = [context.Process(target=_make, args=(str(tmp_path), queue)) for _ in range(2)]
    for run in runs:
        run.start()
    writers = {queue.get(timeout=20) for _ in runs}
    for run in runs:
        run.join()
    assert len(writers) == 1


def test_a_damaged_manifest_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("{")
    with pytest.raises(ArtifactError, match=r"damaged[\s\S]*delete the folder"):
        Artifact.load(tmp_path)


@given(st.lists(st.integers(0, 50), max_size=20), st.integers(0, 400))
@settings(max_examples=40, deadline=None)
def test_a_log_cut_at_any_byte_loses_at_most_the_torn_line(ids: list[int], cut: int) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log.jsonl"
        JsonLog(path, "id").append({"id": i, "text": f"é{i}"} for i in ids)
        whole = path.read_bytes() if path.exists() else b""
        path.write_bytes(whole[: min(cut, len(whole))])
        reopened = JsonLog(path, "id")
        kept = reopened.rows()
        assert len(kept) == whole[: min(cut, len(whole))].count(b"\n")
        reopened.append({"id": i, "text": f"é{i}"} for i in ids)
        assert sorted(row["id"] for row in reopened.rows()) == sorted(set(ids))


def test_a_killed_writer_leaves_a_log_that_opens(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from resa.artifacts import JsonLog\n"
        "log = JsonLog(Path(sys.argv[1]), 'id')\n"
        "print('ready', flush=True)\n"
        "i = 0\n"
        "while True:\n    log.append([{'id': i, 'text': 'x' * 500}])\n    i += 1\n"
    )
    path = tmp_path / "log.jsonl"
    process = subprocess.Popen([sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.3)
    process.send_signal(signal.SIGKILL)
    process.wait()
    rows = JsonLog(path, "id").rows()
    assert [row["id"] for row in rows] == list(range(len(rows)))
    assert rows


def test_a_malformed_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text('{"id": 1}\nnonsense\n{"id": 2}\n')
    with pytest.raises(ArtifactError, match=r"log\.jsonl:2"):
        JsonLog(path, "id")


def test_writing_is_atomic_and_leaves_no_partial_file(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "file.json"
    write_atomically(target, "{}")
    assert [file.name for file in target.parent.iterdir()] == ["file.json"]


def test_a_folder_digest_sees_annotations_and_sizes(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps([1]))
    before = folder_digest(tmp_path)
    (tmp_path / "a.json").write_text(json.dumps([2]))
    assert folder_digest(tmp_path) != before
    with pytest.raises(ArtifactError, match="folder not found"):
        folder_digest(tmp_path / "missing")
