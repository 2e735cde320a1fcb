"""The stage that makes the method's encoder: planning here, without torch; the work is the encoder's own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from resa.artifacts import Artifact, ArtifactStore, Stage
from resa.launching import Launcher
from resa.models.spec import ModelSpec
from resa.places import Places

VERSION = 2
"""Raise it whenever the same configuration gives another encoder: what is null is resolved when the tower is loaded,
so a changed default does not show in the stage's configuration."""


class Encoder(Protocol):
    """A choice for the encoder slot: a frozen dataclass whose module imports nothing heavy.

    Attributes:
        name: of the choice.
        work: ``module:function`` that writes ``encoder.safetensors`` (the vision tower's whole state dict, keys
            relative to the tower), ``encoder.json`` where the tower's shape changes (resa/models/checkpoint.py) and
            ``contents.json`` into ``job["output_dir"]``.
        ranks: whether ranks share that work.
    """

    @property
    def name(self) -> str: ...
    @property
    def work(self) -> str: ...
    @property
    def ranks(self) -> bool: ...

    def content(self) -> Mapping[str, Any]:
        """What of its settings shapes the result."""
        ...

    def inputs(self, places: Places, dataset: Artifact | None) -> Mapping[str, str]:
        """Keys of what it reads besides the model."""
        ...

    def job(self, places: Places, dataset: Artifact | None) -> Mapping[str, Any]:
        """What its work gets besides ``model``, ``seed``, ``progress``, ``key`` and ``output_dir``."""
        ...


def encoder_stage(config: Mapping[str, Any], places: Places, dataset: Artifact | None) -> Stage | None:
    """What shapes the encoder; None where the slot is empty."""
    encoder = _chosen(config)
    if encoder is None:
        return None
    inputs = {"model": ModelSpec.from_config(config["model"]).key(), **encoder.inputs(places, dataset)}
    return Stage("encoder", {**encoder.content(), "seed": config.get("seed", 0)}, inputs, VERSION)


def make_encoder(
    config: Mapping[str, Any], store: ArtifactStore, launcher: Launcher, places: Places, dataset: Artifact | None
) -> Artifact | None:
    """The encoder of ``config["method"]``: found where it exists, else made; None where the slot is empty. A killed
    attempt goes on from its last saved state.

    Args:
        config: the resolved configuration; ``model``, ``method.encoder``, ``seed``, ``progress``.
        store: of the artifacts.
        launcher: runs the ranks.
        places: of the external datasets.
        dataset: made by ``make_dataset``; None where the data slot is empty.

    Raises:
        ConfigError: a bad configuration.
        DataError: there are no images.
        ModelError: the model cannot be loaded, or the encoder does not fit it.
    """
    encoder, stage = _chosen(config), encoder_stage(config, places, dataset)
    if encoder is None or stage is None:
        return None
    found = store.find(stage)
    if found is not None:
        return found

    def write(folder: Path) -> None:
        job = {
            **encoder.job(places, dataset),
            "model": ModelSpec.from_config(config["model"]).to_json(),
            "seed": config.get("seed", 0),
            "progress": bool(config.get("progress", True)),
            "key": stage.key,
            "output_dir": str(folder),
        }
        launcher.run(encoder.work, job, ranks=encoder.ranks)

    return store.make(stage, write)


def _chosen(config: Mapping[str, Any]) -> Encoder | None:
    from hydra.utils import instantiate

    node = config["method"]["encoder"]
    if node.get("name", "none") == "none":
        return None
    encoder: Encoder = instantiate(dict(node))
    return encoder
