"""What the pipeline needs to know of launching: a job is a function by name and a JSON-able mapping."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from resa.errors import LaunchError

Job = Mapping[str, Any]


class Launcher(Protocol):
    """Runs jobs. Implementations: :class:`InProcess` here, torchrun and SLURM steps in ``launch/``."""

    @property
    def world_size(self) -> int:
        """How many ranks a job with ``ranks=True`` gets."""
        ...

    def run(self, target: str, job: Job, *, ranks: bool) -> None:
        """Call ``target`` with ``job`` and return when it has ended everywhere.

        Args:
            target: ``module:function``; the function takes the job as a ``dict`` and returns nothing. It writes only
                under ``job["output_dir"]``.
            job: JSON values only.
            ranks: whether the job shares its work out over ranks; False runs it once, in this process.

        Raises:
            ResaError: what the job raised, as it was said in the rank.
            LaunchError: the processes could not be started, or one ended in any other way.
        """
        ...


class InProcess:
    """One rank: this process."""

    world_size = 1

    def run(self, target: str, job: Job, *, ranks: bool) -> None:
        call(target, job)


def resolve(target: str) -> Callable[[dict[str, Any]], Any]:
    """The function that ``module:function`` names.

    Raises:
        LaunchError: the module cannot be found, or has no such function.
    """
    module_name, colon, name = target.partition(":")
    if not (module_name and colon and name):
        raise LaunchError("a job's target must be module:function", where=repr(target))
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        raise LaunchError(f"the job's module cannot be imported: {error}", where=target) from error
    function = getattr(module, name, None)
    if not callable(function):
        raise LaunchError(f"{module_name} has no function {name!r}", where=target)
    found: Callable[[dict[str, Any]], Any] = function
    return found


def call(target: str, job: Job) -> None:
    """Call a job's function in this process, with exactly what a rank would be given.

    Raises:
        LaunchError: the target cannot be resolved, or the job holds what JSON cannot say.
    """
    try:
        plain = json.loads(json.dumps(dict(job)))
    except TypeError as error:
        raise LaunchError(f"the job is not JSON: {error}", where=target) from error
    resolve(target)(plain)
