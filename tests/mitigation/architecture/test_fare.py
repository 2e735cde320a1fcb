"""FARE on small random towers: it lowers the distance an attack can force, on both kinds of embedding, in seconds."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from launch.local import Torchrun
from mitigation.architecture import adversarial
from mitigation.architecture.fare import FARE
from mitigation.architecture.stage import make_encoder
from resa.artifacts import Artifact, ArtifactStore, JsonLog
from resa.errors import ConfigError, DataError
from resa.launching import InProcess
from resa.models.load import load_model
from resa.models.spec import ModelSpec
from resa.places import Places
from tests.tiny_models import draw_image

TINY = {"image_size": 84, "steps": 12, "batch_size": 8, "held_out": 4, "warmup_steps": 2, "learning_rate": 2e-3}


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    for number in range(20):
        draw_image(folder / f"{number:02d}.png", number)
    return folder


def train(output: Path, model: Path, pictures: Path, **settings: Any) -> dict[str, Any]:
    output.mkdir(parents=True, exist_ok=True)
    chosen = FARE(images=str(pictures), **{**TINY, **settings})
    job = {**chosen.job(Places({}), None), "model": {"path": str(model)}, "seed": 0, "progress": False, "key": "k"}
    adversarial.run({**json.loads(json.dumps(job)), "output_dir": str(output)})
    found: dict[str, Any] = json.loads((output / "contents.json").read_text())
    return found


def losses(output: Path) -> list[float]:
    return [row["loss"] for row in JsonLog(output / "fare.jsonl", ("step", "split")).rows() if row["split"] == "train"]


def tower(output: Path) -> dict[str, torch.Tensor]:
    return dict(load_file(str(output / "encoder.safetensors")))


@pytest.mark.parametrize(("model", "side", "kind"), [("tiny_qwen", 84, "patches"), ("tiny_llava", None, "cls")])
def test_it_lowers_what_an_attack_can_do(
    model: str, side: int | None, kind: str, pictures: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    folder: Path = request.getfixturevalue(model)
    said = train(tmp_path / "encoder", folder, pictures, image_size=side)
    assert said["embedding"].startswith(kind)
    assert said["before"]["clean_drift"] == pytest.approx(0, abs=1e-9)
    assert said["after"]["robust_distance"] < 0.8 * said["before"]["robust_distance"]
    assert said["after"]["clean_drift"] < said["before"]["robust_distance"]
    assert said["images"] == {"trained_on": 16, "held_out": 4, "unreadable": {"count": 0, "files": {}}}
    loaded = load_model(ModelSpec(path=str(folder)), device="cpu", encoder=tmp_path / "encoder")
    placed = loaded.model.get_submodule(said["tower"]).state_dict()
    assert all(torch.equal(placed[name], value) for name, value in tower(tmp_path / "encoder").items())


def test_llavas_patches_can_be_kept_instead(tiny_llava: Path, pictures: Path, tmp_path: Path) -> None:
    said = train(tmp_path / "encoder", tiny_llava, pictures, image_size=None, embedding="patches")
    assert said["embedding"] == "patches: FARE-style"
    assert said["after"]["robust_distance"] < said["before"]["robust_distance"]


def test_a_killed_training_goes_on_to_the_same_tower(
    tiny_llava: Path, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings: dict[str, Any] = {"image_size": None, "save_every": 4, "eval_every": 6}
    train(tmp_path / "whole", tiny_llava, pictures, **settings)

    class Killed(Exception):
        pass

    step = adversarial.AdversarialTraining._step

    def dies(self: Any, number: int) -> dict[str, Any]:
        if number == 9:
            raise Killed
        return step(self, number)

    monkeypatch.setattr(adversarial.AdversarialTraining, "_step", dies)
    with pytest.raises(Killed):
        train(tmp_path / "killed", tiny_llava, pictures, **settings)
    assert (tmp_path / "killed" / ".work" / "8" / "state.safetensors").is_file()
    monkeypatch.undo()
    train(tmp_path / "killed", tiny_llava, pictures, **settings)
    whole, resumed = tower(tmp_path / "whole"), tower(tmp_path / "killed")
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)
    keys = ("step", "split")
    logs = [JsonLog(tmp_path / run / "fare.jsonl", keys).rows() for run in ("whole", "killed")]
    assert logs[0] == logs[1]
    assert [row["step"] for row in logs[0] if row["split"] == "held_out"] == [0, 6, 12]
    assert not (tmp_path / "killed" / ".work").exists()


def test_micro_batches_change_memory_alone(tiny_llava: Path, pictures: Path, tmp_path: Path) -> None:
    settings: dict[str, Any] = {"image_size": None, "steps": 3}
    train(tmp_path / "whole", tiny_llava, pictures, **settings)
    train(tmp_path / "split", tiny_llava, pictures, **settings, micro_batch_size=3)
    assert losses(tmp_path / "split") == pytest.approx(losses(tmp_path / "whole"), rel=1e-3)


def test_unreadable_images_are_named_and_kept_out(tiny_llava: Path, pictures: Path, tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    for number in range(5):
        draw_image(folder / f"{number}.png", number)
    cut = folder / "5.png"
    cut.write_bytes((folder / "0.png").read_bytes()[:60])
    said = train(tmp_path / "encoder", tiny_llava, folder, image_size=None, steps=1)
    assert said["images"]["unreadable"]["count"] == 1
    assert "cannot be read" in said["images"]["unreadable"]["files"][str(cut)]
    assert said["images"]["trained_on"] + said["images"]["held_out"] == 5


def test_the_stage_reads_the_images_of_the_data_slot(tiny_llava: Path, pictures: Path, tmp_path: Path) -> None:
    dataset = tmp_path / "dataset"
    dataset.mkdir()
    images = sorted(str(file) for file in pictures.iterdir())
    rows = [{"id": str(number), "images": [image]} for number, image in enumerate([*images, images[0]])]
    (dataset / "rows.jsonl").write_text(
        "".join(json.dumps(row) + "\n" for row in [*rows, {"id": "text", "images": []}])
    )
    node = {"_target_": "mitigation.architecture.fare.FARE", **asdict(FARE(steps=1, batch_size=4, held_out=4))}
    config = {"model": {"path": str(tiny_llava)}, "method": {"encoder": node}, "seed": 0, "progress": False}
    store, data = ArtifactStore(tmp_path / "artifacts"), Artifact(dataset, {"key": "0"})
    made = make_encoder(config, store, InProcess(), Places({}), data)
    again = make_encoder(config, store, InProcess(), Places({}), data)
    other = {**node, "seed": 0, "micro_batch_size": 2, "cache_mb": 1, "save_every": 7}
    other.pop("seed")
    faster = make_encoder({**config, "method": {"encoder": other}}, store, InProcess(), Places({}), data)
    assert made is not None
    assert again is not None
    assert faster is not None
    assert (made.reused, again.reused, faster.reused) == (False, True, True)
    assert made.contents["images"]["trained_on"] + made.contents["images"]["held_out"] == 20


def test_settings_left_open_follow_the_tower() -> None:
    published, small = FARE().for_tower(304_000_000), FARE(steps=10).for_tower(1_000_000)
    assert (published.eps, published.steps, published.batch_size, published.warmup_steps) == (4, 20_000, 128, 1_400)
    assert (published.attack_steps, published.attack_step_size, published.learning_rate) == (10, 1, 1e-5)
    assert small.steps == 10
    assert small.eps == 8


def test_mistakes_are_found_before_any_work(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"encoder\.eps=4"):
        FARE(eps=4 / 255)
    with pytest.raises(ConfigError, match="Did you mean 'patches'"):
        FARE(embedding="patch")
    with pytest.raises(ConfigError, match="the data slot is empty"):
        FARE().files(Places({}), None)
    with pytest.raises(ConfigError, match="nothing at"):
        FARE(images=str(tmp_path / "none")).files(Places({}), None)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="0 images"):
        FARE(images=str(tmp_path / "empty")).files(Places({}), None)


def test_two_ranks_train_the_same_tower_as_one(tiny_llava: Path, pictures: Path, tmp_path: Path) -> None:
    settings: dict[str, Any] = {"image_size": None, "steps": 3, "batch_size": 7}
    one = train(tmp_path / "one", tiny_llava, pictures, **settings)
    chosen = FARE(images=str(pictures), **{**TINY, **settings})
    job = {**chosen.job(Places({}), None), "model": {"path": str(tiny_llava)}, "seed": 0, "progress": False, "key": "k"}
    (tmp_path / "two").mkdir()
    launcher = Torchrun(2, tmp_path / "launch")
    launcher.run(FARE.work, {**job, "output_dir": str(tmp_path / "two")}, ranks=True)
    two = json.loads((tmp_path / "two" / "contents.json").read_text())
    assert two["world_size"] == 2
    assert losses(tmp_path / "two") == pytest.approx(losses(tmp_path / "one"), rel=1e-3)
    for name, value in one["after"].items():
        assert two["after"][name] == pytest.approx(value, rel=1e-2, abs=1e-6)
