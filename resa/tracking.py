"""Tracking by Weights & Biases: online with ``WANDB_API_KEY`` in the environment, else offline in the run folder.

One fresh W&B run a process, all runs of one configuration in one group: a resumed offline run does not append to what
the killed one left (wandb#5865). The configuration goes in at ``init``, so that a killed run has it too, from its first
quarter of a minute on, when W&B first writes (wandb#6952).
Only the launching process tracks; what ranks log is read from their files, so no rank needs the key or the network.
A failure of tracking is shown and never ends a run.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from resa.configuration.secrets import redacted, secrets_of
from resa.errors import ConfigError, did_you_mean

KEY = "WANDB_API_KEY"
MODES = ("auto", "online", "offline")
FOLLOW_SECONDS = 2.0


class Tracker:
    """What a run tells its tracker. This one keeps nothing (``tracking=none``).

    Attributes:
        where: where the record is, for people; None where there is none.
    """

    where: str | None = None

    def stage(self, name: str, seconds: float, reused: bool) -> None:
        """A stage has ended."""

    def losses(self, row: Mapping[str, Any]) -> None:
        """One training step: ``{"step", "loss", "learning_rate", ...}``."""

    def scores(self, figures: Mapping[str, float]) -> None:
        """Final figures, by name."""

    def table(self, name: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """A table of the run."""

    def picture(self, name: str, png: bytes) -> None:
        """A plot of the run."""

    def finish(self, status: int) -> None:
        """The run has ended; nothing may be told after it."""

    @contextlib.contextmanager
    def following(self, files: Sequence[Path]) -> Iterator[None]:
        """Pass on the rows of a JSON Lines file of losses while it grows.

        Args:
            files: where it may be: the first that exists is read. A stage's folder is renamed when it is whole, so the
                partial one and the final one are both given.
        """
        if type(self) is Tracker:
            yield
            return
        ended = threading.Event()
        follower = threading.Thread(target=self._follow, args=(files, ended), daemon=True, name="follow losses")
        follower.start()
        try:
            yield
        finally:
            ended.set()
            follower.join(timeout=30)

    def _follow(self, files: Sequence[Path], ended: threading.Event) -> None:
        """Until ``ended``, and once after it. Rows of a step that was told already (a resumed run) are passed over."""
        last = -1
        while True:
            final = ended.wait(FOLLOW_SECONDS)
            for row in read_losses(files):
                if row.get("step", 0) > last:
                    last = row["step"]
                    self.losses(row)
            if final:
                return


def read_losses(files: Sequence[Path]) -> list[dict[str, Any]]:
    """The whole rows of the first file that exists; a torn last line is left for the next look."""
    for file in files:
        with contextlib.suppress(OSError, json.JSONDecodeError):
            whole = file.read_text(encoding="utf-8").rpartition("\n")[0]
            return [json.loads(line) for line in whole.splitlines() if line.strip()]
    return []


@dataclass(frozen=True)
class Wandb:
    """``tracking=wandb``.

    Attributes:
        name: of this choice; project, entity, tags: as in W&B.
        mode: ``auto`` is online with ``WANDB_API_KEY`` in the environment, else offline. ``WANDB_MODE`` in the
            environment comes before ``auto``.
    """

    name: str = "wandb"
    project: str = "resa"
    entity: str | None = None
    mode: str = "auto"
    tags: Sequence[str] = ()

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise ConfigError(f"unknown mode {self.mode!r}. {did_you_mean(self.mode, MODES)}", where="tracking.mode")

    def chosen_mode(self, environ: Mapping[str, str]) -> str:
        if self.mode != "auto":
            return self.mode
        said = environ.get("WANDB_MODE", "")
        return said if said in ("online", "offline", "disabled") else "online" if environ.get(KEY) else "offline"

    def start(self, config: Mapping[str, Any], folder: Path, group: str) -> Tracker:
        """Begin a W&B run; a :class:`Tracker` that keeps nothing where that fails, which is said.

        Args:
            config: the resolved configuration.
            folder: the run folder; its name is the run's.
            group: what all runs of this configuration share.
        """
        mode = self.chosen_mode(os.environ)
        if mode == "disabled":
            return Tracker()
        for attempt in dict.fromkeys((mode, "offline")):
            try:
                run = self._init(attempt, config, folder, group)
                # An offline run's url warns that there is none.
                return WandbTracker(run, run.url if attempt == "online" else str(Path(run.dir).parent))
            except (Exception, SystemExit) as error:  # W&B raises what its network and its service raise
                say(f"tracking: W&B could not start {attempt}: {one_line(error)}")
        say("tracking: this run goes on without W&B")
        return Tracker()

    def _init(self, mode: Any, config: Mapping[str, Any], folder: Path, group: str) -> Any:
        import wandb

        settings = wandb.Settings(
            console="off",  # the terminal's text may quote anything
            silent=True,
            disable_git=True,  # a remote's URL may hold a password
            disable_code=True,
            x_disable_meta=True,  # command line, host and user are nobody else's business
            init_timeout=60,
        )
        run = wandb.init(
            mode=mode,
            dir=str(folder),
            project=self.project,
            entity=self.entity,
            group=group,
            name=folder.name,
            tags=list(self.tags),
            config=redacted(config, secrets_of()),
            settings=settings,
        )
        run.define_metric("train/step")
        run.define_metric("train/*", step_metric="train/step")
        return run


class WandbTracker(Tracker):
    """One W&B run. A call that fails is shown, the first of its kind only."""

    def __init__(self, run: Any, where: str | None) -> None:
        self.run, self.where = run, where
        self._shown: set[str] = set()
        self._lock = threading.Lock()

    def stage(self, name: str, seconds: float, reused: bool) -> None:
        figures = {f"stage/{name}/seconds": round(seconds, 3), f"stage/{name}/reused": int(reused)}
        self._try("a stage", lambda: self.run.log(figures))

    def losses(self, row: Mapping[str, Any]) -> None:
        figures = {f"train/{key}": value for key, value in row.items() if isinstance(value, int | float)}
        self._try("a loss", lambda: self.run.log(figures))

    def scores(self, figures: Mapping[str, float]) -> None:
        self._try("scores", lambda: self.run.summary.update(dict(figures)))

    def table(self, name: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        def log() -> None:
            import wandb

            self.run.log({name: wandb.Table(columns=list(columns), data=[list(row) for row in rows])})

        self._try(f"table {name}", log)

    def picture(self, name: str, png: bytes) -> None:
        def log() -> None:
            import io

            import wandb
            from PIL import Image

            self.run.log({name: wandb.Image(Image.open(io.BytesIO(png)))})

        self._try(f"picture {name}", log)

    def finish(self, status: int) -> None:
        self._try("the end", lambda: self.run.finish(exit_code=status))

    def _try(self, what: str, do: Callable[[], Any]) -> None:
        with self._lock:  # losses come from the following thread
            try:
                do()
            except Exception as error:
                if what not in self._shown:
                    self._shown.add(what)
                    say(f"tracking: W&B could not take {what}: {one_line(error)}")


def start(config: Mapping[str, Any], folder: Path, group: str) -> Tracker:
    """The tracker that ``config["tracking"]`` asks for, started."""
    from hydra.utils import instantiate

    node = config.get("tracking") or {}
    if not node.get("_target_"):
        return Tracker()
    tracking: Wandb = instantiate(node, _convert_="all")
    return tracking.start(config, folder, group)


def one_line(error: BaseException) -> str:
    text = next((line for line in str(error).splitlines() if line.strip()), "")
    return str(redacted(f"{type(error).__name__}: {text}", secrets_of()))


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
