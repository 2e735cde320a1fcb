"""The checkpoint stage: from a dataset artifact (and an encoder) to a folder that is loaded again, and found again."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from resa.artifacts import Artifact, ArtifactStore, Stage
from resa.errors import ConfigError, TrainingError
from resa.launching import InProcess
from resa.method import Method
from tests.resa.training.jobs import METHOD, NONE, TRAINING, write_rows


class Counting(InProcess):
    """A launcher that counts its jobs."""

    def __init__(self) -> None:
        self.jobs: list[dict[str, Any]] = []

    def run(self, target: str, job: Mapping[str, Any], *, ranks: bool) -> None:
        self.jobs.append(dict(job))
        super().run(target, job, ranks=ranks)


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(tmp_path / "artifacts")


@pytest.fixture
def dataset(store: ArtifactStore, tmp_path: Path) -> Artifact:
    """Rows whose images lie elsewhere, as those of a dataset artifact do."""
    rows = write_rows(tmp_path / "rows", 8, lambda number: number % 2 == 0) / "rows.jsonl"

    def write(folder: Path) -> None:
        shutil.copy(rows, folder)

    return store.make(Stage("dataset", {}), write)


@pytest.fixture
def encoder(store: ArtifactStore, tiny_qwen: Path) -> Artifact:
    """The model's own tower, plus one."""

    def write(folder: Path) -> dict[str, Any]:
        from safetensors.torch import save_file

        from resa.models.anatomy import anatomy
        from resa.models.load import load_model
        from resa.models.spec import ModelSpec

        model = load_model(ModelSpec(path=str(tiny_qwen)), device="cpu").model
        tower = model.get_submodule(anatomy(model).vision_tower)
        save_file({name: value + 1 for name, value in tower.state_dict().items()}, folder / "encoder.safetensors")
        return {}

    return store.make(Stage("encoder", {}), write)


def config(model: Path, **changes: Any) -> dict[str, Any]:
    training = {**TRAINING, "max_steps": 2, **changes}
    return {"model": {"path": str(model)}, "method": METHOD, "training": training, "deepspeed": NONE, "seed": 0}


def test_a_trained_checkpoint_carries_its_method_and_encoder_and_is_found_again(
    store: ArtifactStore, dataset: Artifact, encoder: Artifact, tiny_qwen: Path
) -> None:
    from safetensors.torch import load_file

    from resa.models.anatomy import anatomy
    from resa.models.load import load_model
    from resa.models.spec import ModelSpec
    from resa.training.stage import make_checkpoint

    launcher, asked = Counting(), config(tiny_qwen)
    made = make_checkpoint(asked, store, launcher, dataset, encoder)
    assert Method.load(made.path) == Method.from_json(METHOD)
    assert made.contents["steps"] == 2
    assert made.contents["rows"] == 8
    model = load_model(ModelSpec(path=str(made.path)), device="cpu").model
    tower = model.get_submodule(anatomy(model).vision_tower).state_dict()
    changed = load_file(encoder.path / "encoder.safetensors")
    assert all(tower[name].equal(value) for name, value in changed.items())

    faster = config(tiny_qwen, micro_batch_size=1, save_every=1, workers=1)
    again = make_checkpoint(faster, store, launcher, dataset, encoder)
    assert again.reused
    assert again.key == made.key
    assert len(launcher.jobs) == 1
    slower = make_checkpoint(config(tiny_qwen, learning_rate=1e-4), store, launcher, dataset, encoder)
    assert slower.key != made.key


def test_without_an_objective_the_base_and_its_encoder_are_written(
    store: ArtifactStore, encoder: Artifact, tiny_qwen: Path
) -> None:
    from safetensors.torch import load_file

    from resa.models.anatomy import anatomy
    from resa.models.load import load_model
    from resa.models.spec import ModelSpec
    from resa.training.stage import make_checkpoint

    asked = {**config(tiny_qwen), "method": {**METHOD, "objective": NONE}}
    made = make_checkpoint(asked, store, InProcess(), None, encoder)
    assert made.contents["trained"] is False
    assert not (made.path / "model.safetensors").exists()
    model = load_model(ModelSpec(path=str(made.path)), device="cpu").model
    tower = model.get_submodule(anatomy(model).vision_tower).state_dict()
    assert all(tower[name].equal(value) for name, value in load_file(encoder.path / "encoder.safetensors").items())


def test_an_objective_without_data_is_refused(store: ArtifactStore, tiny_qwen: Path) -> None:
    from resa.training.stage import make_checkpoint

    with pytest.raises(TrainingError, match="an objective without data"):
        make_checkpoint(config(tiny_qwen), store, InProcess(), None, None)


def test_planning_needs_no_torch(tmp_path: Path) -> None:
    """So that a finished run is found in a second."""
    model = tmp_path / "model"
    model.mkdir()
    (model / "config.json").write_text("{}")
    code = (
        "import json, sys; from resa.training.stage import checkpoint_stage; "
        "checkpoint_stage(json.loads(sys.argv[1]), None, None); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code, json.dumps(config(model))], check=False).returncode == 0


def test_bad_training_is_a_configuration_error(store: ArtifactStore, dataset: Artifact, tiny_qwen: Path) -> None:
    from resa.training.stage import make_checkpoint

    with pytest.raises(Exception, match="unknown schedule") as caught:
        make_checkpoint(config(tiny_qwen, schedule="cosin"), store, InProcess(), dataset, None)
    assert isinstance(caught.value, ConfigError) or isinstance(caught.value.__cause__, ConfigError)
