"""Judge ``openai``: a language model behind an OpenAI-compatible endpoint, asked with the rubrics in ``rubrics/``.

The rubrics are our own wording, so even with the paper's model the figures are near the published ones, not the same;
each verdict's version is the hash of its rubric, model and settings, and its raw text is kept.
"""

from __future__ import annotations

import contextlib
import dataclasses
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from eval.judges.base import text_version
from eval.judges.words import NUMBER, box_of, first_word, overlap
from eval.measures import JUDGED, Item, OnVerdicts, OpenJudge, Verdict
from resa.endpoint import Ask, Endpoint, Failure, Outcome, Reply, ask_all
from resa.errors import ConfigError
from resa.reasoning import strip
from resa.types import conversation_of

RUBRICS = Path(__file__).parent / "rubrics"


@dataclass(frozen=True)
class OpenAIJudge:
    """Attributes:
    model: the judge model's name at the endpoint; must be given.
    rubrics: a folder of ``<measure>.jinja`` files that replace ours (for who holds the official wording).
    max_tokens: length of a verdict; raise it for models that reason first.
    The others: see :class:`resa.endpoint.Endpoint`.
    """

    model: str | None = None
    name: str = "openai"
    base_url: str | None = None
    api_key_env: str = "OPENAI_API_KEY"
    rubrics: str | None = None
    max_tokens: int = 32
    concurrency: int = 16
    timeout_s: float = 60.0
    attempts: int = 8
    backoff_s: float = 1.0
    max_wait_s: float = 60.0
    give_up_after: int = 50
    token_limit_field: str = "max_tokens"
    temperature: float | None = 0.0
    extra: Mapping[str, Any] = field(default_factory=dict)
    cached: bool = True

    def __post_init__(self) -> None:
        if not self.model:
            raise ConfigError(
                "judge=openai needs the judge model's name at the endpoint",
                where="judge.model",
                remedy="add judge.model=NAME, and judge.base_url=URL unless it is OpenAI's own",
            )
        if self.max_tokens < 1:
            raise ConfigError("max_tokens must be at least 1", where=f"judge.max_tokens={self.max_tokens}")
        folder = self._folder()
        missing = [measure for measure in JUDGED if not (folder / f"{measure}.jinja").is_file()]
        if missing:
            raise ConfigError(
                f"rubrics missing: {', '.join(missing)}",
                where=str(folder),
                remedy="write a <measure>.jinja for each, or leave out judge.rubrics",
            )
        self.endpoint()

    def endpoint(self) -> Endpoint:
        shared = {item.name for item in dataclasses.fields(Endpoint)}
        return Endpoint(**{name: getattr(self, name) for name in shared})

    def identity(self) -> dict[str, Any]:
        versions = {measure: self.version(measure) for measure in sorted(self.measures())}
        return {"name": self.name, "versions": versions, **self.endpoint().identity()}

    def measures(self) -> frozenset[str]:
        return frozenset(JUDGED)

    def judged_by(self, measure: str) -> str:
        return str(self.model)

    def version(self, measure: str) -> str:
        rubric = (self._folder() / f"{measure}.jinja").read_text(encoding="utf-8")
        return text_version(self.endpoint().identity(), self.max_tokens, rubric)

    def needs(self) -> tuple[str, ...]:
        return ()

    @contextlib.contextmanager
    def open(self, places: Mapping[str, str]) -> Iterator[OpenJudge]:
        yield EndpointJudge(self.endpoint(), self._folder(), self.max_tokens)

    def _folder(self) -> Path:
        return Path(self.rubrics) if self.rubrics else RUBRICS


class EndpointJudge:
    """Renders a measure's rubric, asks, and reads the verdict from the reply."""

    def __init__(self, endpoint: Endpoint, rubrics: Path, max_tokens: int) -> None:
        self.endpoint, self.rubrics, self.max_tokens = endpoint, rubrics, max_tokens

    def judge(self, items: Sequence[Item], on_verdicts: OnVerdicts) -> None:
        asks = [Ask(item, conversation_of(self.prompt(item)), self.max_tokens) for item in items]

        def keep(outcomes: Sequence[Outcome]) -> None:
            on_verdicts([(ask.key, verdict_of(ask.key, outcome)) for ask, outcome in outcomes])

        ask_all(self.endpoint, asks, keep)

    def prompt(self, item: Item) -> str:
        """What the judge model is shown."""
        template = _template(self.rubrics / f"{item.measure.name}.jinja")
        given = dict.fromkeys(JUDGED[item.measure.name].optional)
        return str(template.render(**{**given, **item.measure.arguments}, text=item.text)).strip()


@cache
def _template(file: Path) -> Any:
    from jinja2 import StrictUndefined
    from jinja2.sandbox import SandboxedEnvironment

    environment = SandboxedEnvironment(undefined=StrictUndefined, keep_trailing_newline=False)
    return environment.from_string(file.read_text(encoding="utf-8"))


def verdict_of(item: Item, outcome: Reply | Failure) -> Verdict:
    """The verdict in a judge's reply; a failed request is an error, an unreadable reply is unparsed."""
    if isinstance(outcome, Failure):
        return Verdict(None, "error", outcome.error)
    text = strip(outcome.text)
    value = READINGS.get(item.measure.name, _yes_no)(text, item)
    return Verdict(value, "ok" if value is not None else "unparsed", outcome.text)


def _yes_no(text: str, item: Item) -> float | None:
    return {"yes": 1.0, "no": 0.0}.get(first_word(text))


def _one_number(text: str) -> float | None:
    """The number in a reply that has exactly one."""
    found = NUMBER.findall(text)
    return float(found[0]) if len(found) == 1 else None


def _percent(text: str, item: Item) -> float | None:
    number = _one_number(text)
    return number / 100 if number is not None and 0 <= number <= 100 else None


def _grade(text: str, item: Item) -> float | None:
    number = _one_number(text)
    return number if number in (0, 25, 50, 75, 100) else None


def _action(text: str, item: Item) -> float | None:
    number = _one_number(text)
    return number if number in (0, 1, 2, 3, 4, 5) else None


def _box(text: str, item: Item) -> float | None:
    found = box_of(re.sub(r"[\[\]()]", " ", text))
    return overlap(found, item.measure.arguments["target"]) if found else None


READINGS: Mapping[str, Callable[[str, Item], float | None]] = {
    "toxicity": _percent,
    "moderation": _percent,
    "grade": _grade,
    "action": _action,
    "box": _box,
}
