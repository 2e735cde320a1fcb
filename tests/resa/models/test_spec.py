"""A ModelSpec names a model, and its key changes when, and only when, what it would say changes."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from resa.errors import ConfigError, ModelError
from resa.models.spec import ModelSpec


def model_folder(folder: Path, weights: bytes = b"weights") -> Path:
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(weights)
    return folder


def test_the_key_follows_content_not_place(tmp_path: Path) -> None:
    one, other = model_folder(tmp_path / "one"), tmp_path / "elsewhere" / "two"
    shutil.copytree(one, other)
    changed = model_folder(tmp_path / "three", b"other weights")
    assert ModelSpec(path=str(one)).key() == ModelSpec(path=str(other), name="renamed").key()
    assert ModelSpec(path=str(one)).key() != ModelSpec(path=str(changed)).key()
    assert ModelSpec(path=str(one)).key() != ModelSpec(path=str(one), max_pixels=784).key()


def test_a_hub_id_is_known_by_name_and_revision() -> None:
    assert ModelSpec(path="owner/name").folder is None
    assert ModelSpec(path="owner/name").key() == ModelSpec(path="owner/name", revision="main").key()
    assert ModelSpec(path="owner/name").key() != ModelSpec(path="owner/name", revision="v2").key()


def test_the_key_needs_no_torch(tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "m")
    code = (
        "import sys; from resa.models.spec import ModelSpec; ModelSpec(path=sys.argv[1]).key(); "
        "sys.exit('torch' in sys.modules or 'transformers' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(folder)], check=False).returncode == 0


def test_a_json_round_trip_makes_a_relative_folder_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model_folder(tmp_path / "m")
    monkeypatch.chdir(tmp_path)
    spec = ModelSpec(path="./m", generation={"repetition_penalty": 1.1})
    again = ModelSpec.from_json(spec.to_json())
    monkeypatch.chdir("/")
    assert again.key() == ModelSpec(path=str(tmp_path / "m"), generation={"repetition_penalty": 1.1}).key()
    assert ModelSpec.from_json(ModelSpec(path="builtin:tiny").to_json()).path == "builtin:tiny"


def test_a_missing_folder_and_an_empty_one_are_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="model folder not found"):
        ModelSpec(path=str(tmp_path / "absent")).key()
    with pytest.raises(ModelError, match="not a model"):
        ModelSpec(path=str(tmp_path)).key()


@pytest.mark.parametrize(
    ("node", "said"),
    [
        ({"path": "a/b", "dtype": "bf16"}, "Did you mean 'bfloat16'"),
        ({"path": "a/b", "max_pixel": 3}, "Did you mean 'max_pixels'"),
        ({"path": " "}, "no model is named"),
        ({"path": "a/b", "min_pixels": 10, "max_pixels": 5}, "exceeds"),
    ],
)
def test_bad_configuration_is_refused_with_the_nearest_choice(node: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        ModelSpec.from_config({"_target_": "resa.models.spec.ModelSpec", **node})
