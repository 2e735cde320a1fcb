"""The data's stages: the mini world and the dataset. Planned without torch; found again where they exist."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from data_builders.filters.base import Shaped
from data_builders.recipe import Recipe
from data_builders.recogniser.model import fingerprint
from data_builders.shards import Shard
from data_builders.teachers.base import ANSWERS, Teacher
from resa.artifacts import Artifact, ArtifactStore, Stage
from resa.errors import ConfigError, DataError
from resa.launching import Launcher
from resa.models.spec import ModelSpec
from resa.places import MINI, Places

WORLD_VERSION = 5
"""Raise it whenever the same size and seed would give other bytes."""
DATASET_VERSION = 4
DRAFTS, PICTURES = "drafts", "pictures"
"""Folders beside the artifacts' kinds: the teachers' replies, and the images that lie inside sources' files."""
ATTACKED = "builtin:tiny"
"""The model whose vision tower the mini world's adversarial pictures are made against."""


def make_world(config: Mapping[str, Any], store: ArtifactStore, launcher: Launcher) -> Places:
    """Where the datasets are: in the mini world's artifact for ``paths=mini``, written on the first call, else where
    the user says.

    Raises:
        ConfigError: a root that is not a path.
    """
    paths = config["paths"]
    if paths.get("name") != MINI:
        return Places.of_config(paths)
    job = {"size": float(paths.get("size", 1.0)), "seed": int(paths.get("seed", 0))}
    stage = Stage("world", job, {"model": ModelSpec(ATTACKED).key()}, WORLD_VERSION)

    def write(folder: Path) -> None:
        launcher.run("data_builders.mini.world:run", {**job, "output_dir": str(folder)}, ranks=False)

    return Places.of_world(store.find(stage) or store.make(stage, write))


def make_dataset(
    config: Mapping[str, Any], store: ArtifactStore, launcher: Launcher, places: Places
) -> Artifact | None:
    """The dataset of ``config["method"]["data"]``: found where it exists, else built. None where the slot is empty.

    Args:
        config: the resolved configuration; ``method.data``, ``teacher``, ``model``, ``progress``.

    Raises:
        ConfigError: a bad recipe, or a teacher that cannot do what the recipe asks. DataError: a dataset is missing or
            unusable. EngineError: the teacher cannot be asked.
    """
    work = _work(config, store, places)
    if work is None:
        return None
    stage, job = work

    def write(folder: Path) -> None:
        launcher.run("data_builders.building:run", {**job, "output_dir": str(folder)}, ranks=False)

    return store.find(stage) or store.make(stage, write)


def ask_shard(
    config: Mapping[str, Any], store: ArtifactStore, launcher: Launcher, places: Places, shard: Shard
) -> Artifact | None:
    """Do one shard of the asking for the dataset that :func:`make_dataset` would build, and build nothing: it finds the
    replies later. Several shards may run at once. Returns the dataset where it exists already: nothing is asked then.

    Raises:
        as :func:`make_dataset`.
    """
    work = _work(config, store, places)
    if work is None:
        return None
    stage, job = work
    found = store.find(stage)
    if found is None:
        job["shard"] = str(shard)
        launcher.run("data_builders.building:ask", job, ranks=False)
    return found


def _work(config: Mapping[str, Any], store: ArtifactStore, places: Places) -> tuple[Stage, dict[str, Any]] | None:
    """The dataset's stage and the job that makes it; None where the slot is empty."""
    from hydra.utils import instantiate

    node = config["method"]["data"]
    if node.get("name", "none") == "none":
        return None
    recipe: Recipe = instantiate(node, _convert_="all")
    teacher: Teacher | None = instantiate(config["teacher"], _convert_="all") if recipe.taught else None
    if teacher is not None and not teacher.can(recipe.answers):
        able = [answers for answers in ANSWERS if teacher.can(answers)]
        raise ConfigError(
            f"teacher={teacher.name} as configured cannot do data.answers={recipe.answers}",
            where="teacher",
            remedy=f"method.data.answers={' or '.join(able)}, or another teacher or brief",
        )
    identity = teacher.identity(config["model"]) if teacher is not None else None
    roots = _roots(recipe, teacher, places)
    inputs = {f"places.{name}": places.key(name) for name in roots}
    shaping = _shaping(node, recipe, config["model"])
    shapes = {"recipe": shaping, "teacher": identity, "recogniser": fingerprint()}
    stage = Stage("dataset", shapes, inputs, DATASET_VERSION)
    job = {
        "recipe": dict(node),
        "teacher": dict(config["teacher"]) if teacher is not None else None,
        "identity": identity,
        "roots": roots,
        "model": dict(config["model"]),
        "drafts": str((store.root / DRAFTS).resolve()),
        "pictures": str((store.root / PICTURES).resolve()),
        "progress": bool(config.get("progress")),
    }
    return stage, job


def _shaping(node: Mapping[str, Any], recipe: Recipe, model: Mapping[str, Any]) -> dict[str, Any]:
    """The recipe's node without what changes no row: how the models that filters ask are reached."""
    shaped = {name: chosen.shape(model) for name, chosen in recipe.filters.items() if isinstance(chosen, Shaped)}
    return {**node, "filters": {**node["filters"], **shaped}} if shaped else dict(node)


def _roots(recipe: Recipe, teacher: Teacher | None, places: Places) -> dict[str, str]:
    """Every root that is read: those of the sources and the teacher, which must be there, and those the filters
    compare with, where they are set.

    Raises:
        DataError: a folder is missing; all missing ones are named together.
    """
    missing: list[DataError] = []
    found = {}
    for name in (*recipe.roots(), *(teacher.needs() if teacher is not None else ())):
        try:
            found[name] = str(places.root(name))
        except DataError as error:
            missing.append(error)
    if len(missing) == 1:
        raise missing[0]
    if missing:
        where = ", ".join(str(error.where) for error in missing)
        raise DataError(f"{len(missing)} dataset folders are missing", where=where, remedy=missing[0].remedy)
    for chosen in recipe.filters.values():
        found |= {name: str(places.root(name)) for name in chosen.needs() if name in places.roots}
    return dict(sorted(found.items()))
