"""Wordings: Jinja files that say how a model is asked, ours by name or the user's own by path."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from resa.errors import ConfigError, did_you_mean


def wording_file(folder: Path, name: str, where: str) -> Path:
    """The file of a wording: ``<folder>/<name>.jinja``, or any by path.

    Args:
        where: the configuration key that names it.

    Raises:
        ConfigError: there is none.
    """
    ours = folder / f"{name}.jinja"
    file = ours if ours.is_file() else Path(name).expanduser()
    if not file.is_file():
        known = sorted(file.stem for file in folder.glob("*.jinja"))
        raise ConfigError(
            f"no {where.rpartition('.')[2]} {name!r}. {did_you_mean(name, known)}",
            where=where,
            remedy="or the path of a Jinja file",
        )
    return file


def render(file: Path, **values: Any) -> str:
    """A wording with its values, without blanks around it.

    Raises:
        jinja2.TemplateError: it names a value that is not there, or is no template.
    """
    return str(template(file).render(**values)).strip()


def template(file: Path) -> Any:
    """A wording's Jinja template, for whoever fills in many."""
    return _template(file.read_text(encoding="utf-8"))


@cache
def _template(source: str) -> Any:
    import jinja2

    return jinja2.Environment(autoescape=False, undefined=jinja2.StrictUndefined).from_string(source)
