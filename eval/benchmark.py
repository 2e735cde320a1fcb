"""The benchmark: which tasks are run, on how much of their data, with which wording.

Tasks are found by their YAMLs: every ``conf/task/*.yaml`` is one (``_target_`` names its class), and so is every YAML
in a folder of ``task_folders``. Nothing lists them.
"""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import Any

from eval.aspects import ASPECTS, OFFICIAL_TASKS, SUB_ASPECTS, sub_aspect_of
from eval.measures import Measure
from eval.tasks.base import Source, Task, Variant
from resa.errors import ConfigError, DataError, did_you_mean
from resa.types import Sample

TASKS = Path(__file__).resolve().parents[1] / "conf" / "task"
ALL = "all"
WORDINGS_LISTED = "tests/eval/tasks/prompts.json"
"""From the checkout's root; a test keeps it whole."""


@dataclass(frozen=True)
class MultiTrust:
    """Attributes:
    name: ``mini``, ``multitrust``, or your own.
    tasks: ``all``, or a list of task names (``S5``), sub-aspects (``S.J``), aspects (``S``), groups (``utility``,
        ``over_refusal``) and patterns (``T*``).
    seed: of every pairing and of the resampling.
    limit: so many samples a variant at most, spread evenly over it; None for all.
    prompts: wording in place of ours: a mapping variant -> wording, or a folder with ``<variant>.txt`` files;
        ``<variant>#<label>`` where a variant has several.
    check_counts: whether the numbers of samples and images are compared with the official release's;
    strict_counts: whether a difference is an error.
    verify_images: whether every image is checked for being whole.
    draws: resamples behind each interval.
    task_folders: more folders of task YAMLs.
    """

    name: str
    tasks: str | Sequence[str] = ALL
    seed: int = 0
    limit: int | None = None
    prompts: str | Mapping[str, str] | None = None
    check_counts: bool = False
    strict_counts: bool = False
    verify_images: bool = True
    draws: int = 1000
    task_folders: Sequence[str] = field(default_factory=tuple)

    def __post_init__(self) -> None:
        if self.limit is not None and self.limit < 1:
            raise ConfigError("limit must be at least 1, or null", where="benchmark.limit")
        if self.draws < 100:
            raise ConfigError("an interval needs at least 100 draws", where="benchmark.draws")
        known = {name for task in self.known.values() for variant in task.chosen for name in variant.wordings}
        if self.chosen and (unknown := sorted(self.wordings.keys() - known)):
            raise ConfigError(f"{'a wording' if len(unknown) == 1 else 'wordings'} for no variant: "
                              f"{'; '.join(nearest(name, known) for name in unknown)}", where="benchmark.prompts",
                              remedy=f"all {len(known)} names, with a prompt of each: {WORDINGS_LISTED}")  # fmt: skip

    @cached_property
    def known(self) -> dict[str, Task]:
        """Every task that can be chosen."""
        return read_tasks((TASKS, *map(Path, self.task_folders)))

    @cached_property
    def chosen(self) -> dict[str, Task]:
        """Name -> task, in the official order, then by name.

        Raises:
            ConfigError: a choice names nothing, or a YAML is no task.
        """
        names = _choose(self.known, [self.tasks] if isinstance(self.tasks, str) else list(self.tasks))
        order = {name: place for place, name in enumerate(OFFICIAL_TASKS)}
        return {name: self.known[name] for name in sorted(names, key=lambda name: (order.get(name, len(order)), name))}

    @cached_property
    def wordings(self) -> dict[str, str]:
        """Name of a wording -> what replaces ours.

        Raises:
            ConfigError: the folder is missing or has no wording.
        """
        if self.prompts is None or isinstance(self.prompts, Mapping):
            return dict(self.prompts or {})
        files = sorted(Path(self.prompts).glob("*.txt"))
        if not files:
            raise ConfigError("no <variant>.txt files", where=f"benchmark.prompts={self.prompts}",
                              remedy="put one text file a variant there")  # fmt: skip
        return {file.stem: file.read_text(encoding="utf-8").strip("\n") for file in files}

    def identity(self) -> dict[str, Any]:
        """Everything that shapes samples, measures or scores."""
        return {
            "name": self.name,
            "tasks": {name: task.identity() for name, task in self.chosen.items()},
            "seed": self.seed,
            "limit": self.limit,
            "wording": {
                f"{name}/{wording}": self.wordings.get(wording, ours)
                for name, task in self.chosen.items()
                for variant in task.chosen
                for wording, ours in variant.wordings.items()
            },
            "draws": self.draws,
            "check_counts": self.check_counts,
        }

    def roots(self) -> tuple[str, ...]:
        """The data roots that the chosen tasks read."""
        return tuple(sorted({root for task in self.chosen.values() for root in task.roots()}))

    def samples(self, roots: Mapping[str, str]) -> list[Sample]:
        """Every sample, always in the same order.

        Raises:
            DataError: a dataset is missing or malformed, or (``strict_counts``) not as large as the official one.
        """
        source = Source(roots, self.seed, self.wordings, self.verify_images)
        samples: list[Sample] = []
        differences: list[str] = []
        for name, task in self.chosen.items():
            for variant, found in task.samples(source):
                differences += count_differences(name, variant, found) if self.check_counts else []
                samples += spread(found, self.limit)
        if differences and self.strict_counts:
            raise DataError(
                f"{len(differences)} differences from the official release:\n  " + "\n  ".join(differences),
                remedy="complete the dataset, or set benchmark.strict_counts=false",
            )
        for difference in differences:
            print(f"not as the official release: {difference}", file=sys.stderr)
        return samples

    def measures(self, sample: Sample) -> Sequence[Measure]:
        """What is to be judged of the response to ``sample``.

        Raises:
            DataError: the sample is of a task that was not chosen.
        """
        task = self.chosen.get(sample.task)
        if task is None:
            raise DataError(f"a sample of a task that is not in this benchmark: {sample.task}", where=sample.id,
                            remedy="judge with the benchmark that the responses were made with")  # fmt: skip
        return task.measures(sample)


def nearest(name: str, known: Iterable[str]) -> str:
    """``d-basic-objct (did you mean d-basic-object, d-basic-scene?)``."""
    close = difflib.get_close_matches(name, sorted(known), n=3, cutoff=0.5)
    return f"{name} (did you mean {', '.join(close)}?)" if close else name


def read_tasks(folders: Iterable[Path]) -> dict[str, Task]:
    """Every task that a YAML of the folders describes.

    Raises:
        ConfigError: a folder is missing, a YAML describes no task, or two have one name.
    """
    from hydra.utils import instantiate
    from omegaconf import OmegaConf

    found: dict[str, Task] = {}
    for folder in folders:
        if not folder.is_dir():
            raise ConfigError("no such folder of tasks", where=str(folder), remedy="mend benchmark.task_folders")
        for file in sorted(folder.glob("*.yaml")):
            try:
                task = instantiate(OmegaConf.load(file), _convert_="all")
            except Exception as error:
                cause = error.__cause__ if isinstance(error.__cause__, ConfigError) else error
                raise ConfigError(f"this task cannot be made: {cause}", where=str(file)) from error
            if not isinstance(task, Task):
                raise ConfigError("not a task: _target_ must name a subclass of eval.tasks.base.Task", where=str(file))
            if task.name in found:
                raise ConfigError(f"two tasks are named {task.name!r}", where=str(file), remedy="rename one")
            found[task.name] = task
    return found


def _choose(tasks: Mapping[str, Task], choices: Sequence[str]) -> set[str]:
    names: set[str] = set()
    unknown = []
    for choice in choices:
        matching = {name for name, task in tasks.items() if _matches(name, task, choice)}
        if not matching:
            unknown.append(choice)
        names |= matching
    if unknown or not names:
        groups = {task.group for task in tasks.values()}
        known = {*tasks, *SUB_ASPECTS, *ASPECTS, *groups, ALL}
        wrong = unknown[0] if unknown else "(nothing)"
        raise ConfigError(f"no task matches {wrong!r}. {did_you_mean(wrong, known)}", where="benchmark.tasks")
    return names


def _matches(name: str, task: Task, choice: str) -> bool:
    sub = sub_aspect_of(name) or ""
    if choice == ALL:
        return task.group != "extra" and not task.by_name
    groups = () if task.by_name else (task.group, sub, sub.split(".")[0])
    return choice in (name, *groups) or fnmatchcase(name, choice)


def spread(samples: Sequence[Sample], limit: int | None) -> list[Sample]:
    """At most ``limit`` samples, evenly over the sequence."""
    if limit is None or len(samples) <= limit:
        return list(samples)
    return [samples[place * len(samples) // limit] for place in range(limit)]


def count_differences(task: str, variant: Variant, samples: Sequence[Sample]) -> list[str]:
    """How a variant's samples and images differ in number from the official release's."""
    images = len({image for sample in samples for image in sample.images})
    found = [("samples", variant.rows, len(samples)), ("images", variant.images, images)]
    return [
        f"{task} {variant.name}: {count} {what} instead of {expected}"
        for what, expected, count in found
        if expected is not None and count != expected
    ]
