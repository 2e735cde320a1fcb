"""conf/launch and conf/deepspeed: every choice is what its code takes."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import yaml
from hydra.utils import instantiate

CONF = Path(__file__).resolve().parents[2] / "conf"
LAUNCH = sorted((CONF / "launch").glob("*.yaml"))
DEEPSPEED = sorted((CONF / "deepspeed").glob("*.yaml"))


@pytest.mark.parametrize("file", LAUNCH, ids=lambda file: file.stem)
def test_a_launch_choice_shows_every_option_with_its_default(file: Path) -> None:
    node = yaml.safe_load(file.read_text())
    launch = instantiate(node, _convert_="all")
    assert node.keys() - {"_target_"} == {field.name for field in dataclasses.fields(launch)}
    plain = type(launch)()
    assert {key: list(value) if isinstance(value, tuple) else value for key, value in vars(plain).items()} == vars(
        launch
    )


@pytest.mark.parametrize("file", DEEPSPEED, ids=lambda file: file.stem)
def test_a_deepspeed_choice_is_none_or_a_stage(file: Path) -> None:
    node = yaml.safe_load(file.read_text())
    assert node["name"] == file.stem
    if file.stem == "none":
        assert node.keys() == {"name"}
    else:
        settings = instantiate(node).config()
        assert settings["zero_optimization"]["stage"] == int(file.stem.removeprefix("zero"))
