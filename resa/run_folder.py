"""A run: its folder, its stages as they pass, its log, and how it ends.

``runs/<time>-<method>-<model>-s<seed>-<key>/`` holds ``config.yaml`` (resolved), ``command.txt``, ``log.txt``,
``artifacts/`` (links), ``summary.json``, the report, and the tracker's files.
"""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from resa import tracking
from resa.artifacts import Artifact, ArtifactStore, Stage, digest, unwritable, write_atomically
from resa.configuration.secrets import redacted, secrets_of
from resa.errors import ResaError

CONFIG, COMMAND, LOG, LINKS = "config.yaml", "command.txt", "log.txt", "artifacts"
SPEED = ("progress", "launch", "tracking", "deepspeed", "runs_dir", "artifacts_dir", "shard")
"""What of a configuration does not shape a run's results."""
QUICK = 1.0
"""A stage that takes fewer seconds is told once, when it has ended."""
T = TypeVar("T")


class UnexpectedError(ResaError):
    """A mistake of this project, or of a library: the traceback is in the run folder's log."""


def new_run_dir(config: Mapping[str, Any], method: str, command: Sequence[str]) -> Path:
    """Make the folder of a run, with its configuration and its command in it.

    Args:
        config: resolved; ``runs_dir``, ``model``, ``seed`` are read for the name.
        method: what the name says of the method; command: as typed.

    Raises:
        ArtifactError: it cannot be written.
    """
    import yaml

    secrets = secrets_of()
    model = str((config.get("model") or {}).get("name", "data"))
    words = [method, model, f"s{config.get('seed', 0)}", run_key(config)[:6]]
    name = "-".join([time.strftime("%Y%m%d-%H%M%S"), *(re.sub(r"[^A-Za-z0-9._]+", "_", word) for word in words)])
    root = Path(str(config.get("runs_dir", "runs"))).expanduser().resolve()
    for number in range(1, 1000):
        folder = root / (name if number == 1 else f"{name}-{number}")
        try:
            folder.mkdir(parents=True)
            break
        except FileExistsError:
            if root.exists() and not root.is_dir():
                raise unwritable(root, NotADirectoryError(20, "not a folder")) from None
        except OSError as error:
            raise unwritable(folder, error) from error
    text = yaml.safe_dump(redacted(config, secrets), sort_keys=False, allow_unicode=True)
    write_atomically(folder / CONFIG, text)
    write_atomically(folder / COMMAND, redacted(shlex.join(command), secrets) + "\n")
    return folder


def run_key(config: Mapping[str, Any]) -> str:
    """Of everything that shapes a run's results (64 hex digits): equal for a run and its repetition."""
    return digest({key: value for key, value in config.items() if key not in SPEED})


class Run:
    """A run while it goes; made by :func:`running`.

    Attributes:
        folder: of the run; config: resolved; store: of the artifacts; tracker: started.
        stages: name -> artifact of the stages passed so far, in order; None where one was not needed.
        command: what started it; current: name of the stage it is in.
        worked: whether something was done that leaves no artifact.
    """

    def __init__(self, folder: Path, config: Mapping[str, Any], tracker: tracking.Tracker) -> None:
        self.folder, self.config, self.tracker = folder, config, tracker
        self.store = ArtifactStore(Path(str(config.get("artifacts_dir", "artifacts"))).expanduser().resolve())
        self.stages: dict[str, Artifact | None] = {}
        self.current, self.worked = "the start", False
        file = folder / COMMAND
        self.command = file.read_text(encoding="utf-8").strip() if file.is_file() else None
        self._secrets = secrets_of()

    def stage(self, name: str, make: Callable[[], T], follow: Sequence[Path] = ()) -> T:
        """Pass one stage: call ``make``, tell how it went, link its artifact here.

        Args:
            name: ``dataset``, ``base_responses`` ...
            make: calls a stage function; returns an artifact, places (of which the world is linked), or None.
            follow: the files in which the stage's losses appear while it goes.
        """
        self.current, started = name, time.monotonic()
        beginning = threading.Timer(QUICK, self.say, [f"{name}: started"])
        beginning.daemon = True
        beginning.start()
        try:
            with self.tracker.following(follow) if follow else contextlib.nullcontext():
                made = make()
        finally:
            beginning.cancel()
        artifact = made if isinstance(made, Artifact) else getattr(made, "world", None)
        self._passed(name, artifact, time.monotonic() - started)
        return made

    def _passed(self, name: str, artifact: Artifact | None, seconds: float) -> None:
        self.stages[name] = artifact
        if artifact is None:
            self.say(f"{name}: not needed")
            return
        how = "reused" if artifact.reused else f"made in {duration(seconds)}"
        self.say(f"{name}: {how}  {shown(artifact.path)}")
        self.tracker.stage(name, seconds, artifact.reused)
        link(self.folder / LINKS / name, artifact.path)

    def growing(self, stage: Stage, file: str) -> list[Path]:
        """Where a file of a stage's folder is: while the stage is at work, and when it is whole."""
        final = self.store.path(stage)
        return [folder / file for folder in (final.with_name(f"{final.name}.partial"), final)]

    @property
    def nothing_done(self) -> bool:
        """Whether every stage so far was found finished."""
        return not self.worked and all(artifact is None or artifact.reused for artifact in self.stages.values())

    def say(self, line: str) -> None:
        """Tell the user, and the log."""
        print(line, flush=True)
        self.note(line)

    def note(self, text: str) -> None:
        """Write into the log only. A log that cannot be written does not end the run."""
        with contextlib.suppress(OSError), (self.folder / LOG).open("a", encoding="utf-8") as stream:
            stream.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {redacted(text, self._secrets)}\n")


@contextlib.contextmanager
def running(config: Mapping[str, Any], folder: Path) -> Iterator[Run]:
    """A run in its folder. However it ends, the log says how, the tracker is closed, and what is done is kept.

    Raises:
        UnexpectedError: in place of an error that is no ResaError.
    """
    tracker = tracking.start(config, folder, group_of(config, folder))
    run, status = Run(folder, config, tracker), 1
    run.note(f"started: {run.command}")
    try:
        yield run
        if run.stages and run.nothing_done:
            run.say(f"nothing to do: all {sum(made is not None for made in run.stages.values())} stages were reused")
        status = 0
    except ResaError as error:
        run.note(f"failed in {run.current}: {error}\n{traceback.format_exc()}")
        raise
    except (KeyboardInterrupt, SystemExit):
        run.say(f"stopped in {run.current}; finished stages and begun work are kept in {shown(run.store.root)}")
        run.say(f"to continue: {run.command or 'run the same command again'}")
        raise
    except Exception as error:
        run.note(f"failed in {run.current}\n{traceback.format_exc()}")
        raise UnexpectedError(
            f"unexpected {type(error).__name__} in {run.current}: {redacted(str(error), secrets_of())}",
            where=str(folder / LOG),
            remedy="the traceback is there; finished stages are kept, the same command continues",
        ) from error
    finally:
        tracker.finish(status)
        if tracker.where:
            run.say(f"W&B: {shown(tracker.where)}")
    run.note("ended well")


def group_of(config: Mapping[str, Any], folder: Path) -> str:
    """What all runs of one configuration share: the run folder's name without its time, and number."""
    return folder.name.split("-", 2)[-1] if re.match(r"\d{8}-\d{6}-", folder.name) else run_key(config)[:12]


def link(name: Path, target: Path) -> None:
    """Point ``name`` at an artifact, relatively, so that both can move together. A file system without links gets a
    text file with the path."""
    name.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileNotFoundError):
        name.unlink()
    try:
        name.symlink_to(os.path.relpath(target.resolve(), name.parent.resolve()), target_is_directory=True)
    except OSError:
        write_atomically(name, f"{target.resolve()}\n")


def shown(path: Path | str) -> str:
    """A path as people read it: relative to the working directory where it is below it."""
    text = str(path)
    here = f"{Path.cwd()}{os.sep}"
    return text.removeprefix(here)


def duration(seconds: float) -> str:
    """``8.2 s``, ``3 min 20 s``, ``2 h 05 min``."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"
