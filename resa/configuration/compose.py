"""Hydra's composition for one door: groups, choices, and the configuration that overrides give."""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from resa.errors import ConfigError

if TYPE_CHECKING:
    from hydra._internal.config_loader_impl import ConfigLoaderImpl
    from hydra._internal.hydra import Hydra
    from omegaconf import DictConfig

CONF = Path(__file__).resolve().parents[2] / "conf"
HYDRA = "hydra"


@dataclass(frozen=True)
class Composed:
    """A composed configuration.

    Attributes:
        config: without Hydra's own node; interpolations still open.
        choices: group -> choice (``method`` -> ``resa``, ``encoder@method.encoder`` -> ``fare``).
    """

    config: DictConfig
    choices: dict[str, str]

    def plain(self) -> dict[str, Any]:
        """As a plain dict, interpolations still open and missing values as ``???``."""
        from omegaconf import OmegaConf

        found: dict[str, Any] = OmegaConf.to_container(self.config, resolve=False)  # type: ignore[assignment]
        return found


class Composer:
    """Composes one primary configuration; made by :func:`opened`."""

    def __init__(self, hydra: Hydra, name: str) -> None:
        self.hydra, self.name = hydra, name

    @property
    def loader(self) -> ConfigLoaderImpl:
        found: ConfigLoaderImpl = self.hydra.config_loader
        return found

    def groups(self) -> list[str]:
        """All groups but Hydra's own."""
        return sorted(group for group in self.loader.list_groups("") if group != HYDRA)

    def is_group(self, name: str) -> bool:
        return bool(self.loader.repository.group_exists(name))

    def options(self, group: str) -> list[str]:
        return sorted(self.loader.get_group_options(group))

    @functools.cached_property
    def default_choices(self) -> dict[str, str]:
        """The choices without any override."""
        return self.compose([]).choices

    def compose(self, overrides: Sequence[str]) -> Composed:
        """Raises:
        HydraException, OmegaConfBaseException: the overrides do not fit.
        """
        from hydra.types import RunMode
        from omegaconf import open_dict

        found = self.hydra.compose_config(
            config_name=self.name,
            overrides=list(overrides),
            run_mode=RunMode.RUN,
            from_shell=False,
            with_log_configuration=False,
        )
        chosen = found.hydra.runtime.choices
        choices = {str(key): str(value) for key, value in chosen.items() if not str(key).startswith(f"{HYDRA}/")}
        with open_dict(found):
            del found[HYDRA]
        return Composed(found, choices)


@contextlib.contextmanager
def opened(name: str, config_dir: str | None = None) -> Iterator[Composer]:
    """Open Hydra for the primary configuration ``name`` (``train``).

    Args:
        config_dir: a folder with more choices, which comes before ours (``--config-dir``).

    Raises:
        ConfigError: that folder does not exist.
    """
    from hydra import version
    from hydra._internal.hydra import Hydra
    from hydra._internal.utils import create_config_search_path
    from hydra.core.config_search_path import SearchPathQuery
    from hydra.core.global_hydra import GlobalHydra

    path = create_config_search_path(str(CONF))
    if config_dir is not None:
        folder = os.path.abspath(config_dir)
        if not os.path.isdir(folder):
            raise ConfigError("folder not found", where=f"--config-dir {config_dir}", remedy="correct the path")
        path.prepend(provider="command-line", path=f"file://{folder}", anchor=SearchPathQuery(provider="schema"))
    version.setbase("1.3")
    GlobalHydra.instance().clear()
    try:
        yield Composer(Hydra.create_main_hydra2(task_name=name, config_search_path=path), name)
    finally:
        GlobalHydra.instance().clear()
