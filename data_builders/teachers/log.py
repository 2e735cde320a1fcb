"""Replies kept as they arrive, across runs: one append-only file a teacher. A reply paid for is never
asked for again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from data_builders.policies import Policies
from data_builders.rows import Row
from data_builders.teachers.asking import Reply, ask_key, brief, completion_of
from data_builders.teachers.base import Answers, Drafts, needs_thought
from resa.artifacts import JsonLog, digest
from resa.types import Turn


class ReplyLog:
    """The replies of one teacher, in ``folder/<name>-<identity>.jsonl``, shared by processes."""

    def __init__(self, folder: Path, name: str, identity: Mapping[str, Any]) -> None:
        from filelock import FileLock

        self.file = folder / f"{name}-{digest(identity)[:16]}.jsonl"
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self._lock = FileLock(f"{self.file}.lock")
        with self._lock:  # opening mends a torn last line, which must not be one that another process is writing
            self._log = JsonLog(self.file, "key")
            rows = self._log.rows()
        self.replies = {row["key"]: Reply(row["text"], row["cut"], row["error"]) for row in rows}

    def add(self, replies: Mapping[str, Reply], spent: Mapping[str, Any] | None = None) -> None:
        """Keep replies by key, on disk at once; ``spent``: what else to note of each (tokens)."""
        self.replies.update(replies)
        with self._lock:
            self._log.append(
                {"key": key, **asdict(reply), **(spent or {}).get(key, {})} for key, reply in replies.items()
            )


@dataclass(frozen=True)
class Question:
    """One thing to ask: its key in the log, the row it is first asked for, and the words."""

    key: str
    row: Row
    turns: tuple[Turn, ...]


def rewrite_with(
    rows: Iterable[Row],
    log: ReplyLog,
    policies: Policies,
    answers: Answers,
    words: int,
    ask: Callable[[Sequence[Question]], Mapping[str, Reply]],
) -> Drafts:
    """Rewrite by asking a model for every thought the log does not hold. ``ask`` adds to the log what is final and
    returns what is not (passing failures, which a later run asks for again)."""
    waiting = list(rows)
    keys: dict[str, str] = {}
    questions: dict[str, Question] = {}
    for row in waiting:
        if needs_thought(row):
            turns = brief(row, policies, answers, words)
            keys[row.id] = ask_key(row, turns)
            if keys[row.id] not in log.replies:
                questions.setdefault(keys[row.id], Question(keys[row.id], row, turns))
    passing = ask(list(questions.values())) if questions else {}
    for row in waiting:
        if row.id not in keys:
            yield row, None
            continue
        reply = log.replies.get(keys[row.id]) or passing[keys[row.id]]
        completion, reason = completion_of(reply, row.completion, answers)
        yield (replace(row, completion=completion), None) if reason is None else (row, reason)
