"""Bad input: a message that names the place and the remedy, a non-zero exit, and nothing half-written."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from data_builders.mini.world import write_world

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small world on disk, read as a user's own copies would be (paths=local)."""
    root = tmp_path_factory.mktemp("world")
    write_world(root, 0.02, seed=0)
    return root


def door(name: str, folder: Path, *options: str, prefix: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    places = (f"artifacts_dir={folder}/artifacts", f"runs_dir={folder}/runs", "tracking=none")
    command = [*prefix, sys.executable, f"{name}.py", *places, *options]
    environ = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    return subprocess.run(command, cwd=CHECKOUT, env=environ, capture_output=True, text=True, timeout=300)


def local(world: Path) -> tuple[str, ...]:
    names = ("multitrust", "vlguard", "llava_mix", "utility", "over_refusal")
    return ("paths=local", "benchmark=mini", *(f"paths.{name}={world / name}" for name in names))


def finished(folder: Path) -> list[str]:
    return [str(file.parent.parent.name) for file in (folder / "artifacts").rglob("manifest.json")]


def test_a_missing_dataset_folder(tmp_path: Path, world: Path) -> None:
    options = [o for o in local(world) if not o.startswith("paths.vlguard")]
    done = door("build_data", tmp_path, *options, f"paths.vlguard={tmp_path}/nowhere")
    assert done.returncode != 0
    assert "paths.vlguard" in done.stdout + done.stderr
    assert "nowhere" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert finished(tmp_path) == []


def test_a_truncated_training_image_is_named_counted_and_kept_out(tmp_path: Path, world: Path) -> None:
    broken = tmp_path / "world"
    shutil.copytree(world, broken)
    image = next((broken / "vlguard/train").rglob("*.png"))
    image.write_bytes(image.read_bytes()[:200])
    done = door("build_data", tmp_path, *local(broken), "data@method.data=vlguard")
    assert done.returncode == 0, done.stderr
    manifest = next((tmp_path / "artifacts/dataset").rglob("manifest.json"))
    funnel = json.dumps(json.loads(manifest.read_text())["contents"]["funnel"])
    assert image.name in funnel
    strict = door("build_data", tmp_path, *local(broken), "data@method.data=vlguard", "method.data.strict=true")
    assert strict.returncode != 0
    assert image.name in strict.stdout + strict.stderr


def test_a_malformed_json_line_of_an_evaluation_set(tmp_path: Path, world: Path) -> None:
    broken = tmp_path / "world"
    shutil.copytree(world, broken)
    file = broken / "utility/open_vqa.jsonl"
    file.write_text(file.read_text().replace("\n", "\n{broken\n", 1))
    done = door("evaluate", tmp_path, "model=tiny", *local(broken), "benchmark.tasks=[open_vqa]")
    assert done.returncode != 0
    assert "open_vqa.jsonl" in done.stdout + done.stderr
    assert "2" in done.stdout + done.stderr
    assert finished(tmp_path) == []


def test_a_truncated_evaluation_image(tmp_path: Path, world: Path) -> None:
    broken = tmp_path / "world"
    shutil.copytree(world, broken)
    image = next((broken / "multitrust/robustness/ood-artistic/source").rglob("*.png"))
    image.write_bytes(image.read_bytes()[:150])
    done = door("evaluate", tmp_path, "model=tiny", *local(broken), "benchmark.tasks=[R1]", "judge=rules")
    assert done.returncode != 0
    assert image.name in done.stdout + done.stderr
    assert finished(tmp_path) == []


def test_several_mistakes_of_configuration_at_once(tmp_path: Path) -> None:
    done = door("train", tmp_path, "method=rsea", "training.lerning_rate=1", "deepspeed=zero9")
    told = done.stdout + done.stderr
    assert done.returncode == 2
    for word in ("rsea", "resa", "lerning_rate", "learning_rate", "zero9"):
        assert word in told
    assert not (tmp_path / "artifacts").exists()
    assert not (tmp_path / "runs").exists()


def test_a_checkpoint_without_a_method(tmp_path: Path, tiny_qwen: Path) -> None:
    done = door("evaluate", tmp_path, f"model.path={tiny_qwen}")
    told = done.stdout + done.stderr
    assert done.returncode != 0
    assert "without a method" in told
    assert "model.plain=true" in told
    assert not (tmp_path / "artifacts").exists()


def test_a_full_disk(tmp_path: Path) -> None:
    """A file system of two megabytes, mounted in a namespace of its own."""
    mount = tmp_path / "small"
    mount.mkdir()
    script = f'mount -t tmpfs -o size=2m none {mount} && exec "$@" artifacts_dir={mount}/artifacts'
    prefix = ("unshare", "--mount", *(() if os.geteuid() == 0 else ("--map-root-user",)), "sh", "-c", script, "sh")
    if subprocess.run([*prefix, "true"], capture_output=True).returncode:
        pytest.skip("a small file system cannot be mounted here (needs unshare and tmpfs)")
    command = [*prefix, sys.executable, "build_data.py", f"runs_dir={tmp_path}/runs", "tracking=none", "paths.size=0.3"]
    environ = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=CHECKOUT, env=environ, capture_output=True, text=True, timeout=300)
    told = done.stdout + done.stderr
    assert done.returncode != 0
    assert "disk is full" in told
    assert "artifacts_dir" in told
    assert str(mount) in told
    assert "Traceback" not in told
