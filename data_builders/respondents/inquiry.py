"""Asking about a stream of rows: what is known is not asked, what is new is kept as it arrives, rows keep their order.

Rows wait on disk while their questions are asked, so that a million of them fit.
"""

from __future__ import annotations

import pickle
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import IO, Any

from data_builders.respondents.base import Question, Reply, Respondent, Session
from data_builders.respondents.log import ReplyLog
from data_builders.respondents.spending import Budget, Spending, write_spent
from data_builders.rows import Row
from data_builders.shards import Shard
from resa.errors import DataError

QuestionsOf = Callable[[Row], Sequence[Question]]


@dataclass(frozen=True)
class Inquiry:
    """One respondent, its log, and what it is told of the run."""

    respondent: Respondent
    log: ReplyLog
    session: Session

    def replies(self, rows: Iterable[Row], questions_of: QuestionsOf) -> Iterator[tuple[Row, tuple[Reply, ...]]]:
        """Each row with the replies to its questions, in order.

        Args:
            rows: read to their end before the first question is asked.
            questions_of: the same row must get the same questions each time; none where there is nothing to ask.

        Raises:
            DataError: there is something to ask, and of the shards that were to ask it, some never ran.
            EngineError: as :meth:`data_builders.respondents.base.Respondent.respond`.
        """
        with tempfile.TemporaryFile(dir=self.log.file.parent) as spool:
            fresh: set[str] = set()
            for row in rows:
                keys = [question.key for question in questions_of(row)]
                pickle.dump((row, keys), spool)
                fresh.update(key for key in keys if key not in self.log)
            passing: Mapping[str, Reply] = {}
            if fresh:
                self._refuse_absent_shards(len(fresh))
                asked = self._questions(spool, questions_of, set(fresh))
                passing = self._ask(asked, len(fresh))
            del fresh
            for row, keys in _read(spool):
                yield row, tuple(passing[key] if key in passing else self.log[key] for key in keys)

    def _refuse_absent_shards(self, fresh: int) -> None:
        absent = [] if self.session.writer else Shard.absent(self.log.writers)
        if absent:
            named = ", ".join(map(str, absent))
            raise DataError(
                f"{self.session.label}: of the asking in shards, {named} never ran; {fresh:,} questions are not asked",
                where=str(self.log.file.parent),
                remedy=f"run it with shard={absent[0]}{' and so on' if len(absent) > 1 else ''}, or with shard=1/1 to "
                "ask all that is left in one process; then this command again",
            )

    def _ask(self, questions: Iterable[Question], total: int) -> Mapping[str, Reply]:
        self.log.catch_up()
        session = replace(self.session, spent=self._spent_before())
        try:
            return self.respondent.respond(questions, total, self.log.add, session)
        finally:
            self.log.close()
            budget = self.respondent if isinstance(self.respondent, Budget) else None
            write_spent(self.log.file.with_suffix(".spent.json"), sum(self.log.spent.values(), Spending()), budget)

    def _spent_before(self) -> Spending:
        """What the log holds; for a shard, its own replies and its share of what was there without its siblings."""
        shard = Shard.of_writer(self.session.writer)
        if shard is None:
            return sum(self.log.spent.values(), Spending())
        siblings = {self.log.name_of(writer) for writer in shard.siblings}
        others = [spent for file, spent in self.log.spent.items() if file.name not in siblings]
        return self.log.spent[self.log.file] + sum(others, Spending()).share(shard.count)

    @staticmethod
    def _questions(spool: IO[bytes], questions_of: QuestionsOf, fresh: set[str]) -> Iterator[Question]:
        for row, keys in _read(spool):
            if not fresh.isdisjoint(keys):
                for question in questions_of(row):
                    if question.key in fresh:
                        fresh.remove(question.key)
                        yield question


def _read(spool: IO[bytes]) -> Iterator[tuple[Row, list[str]]]:
    """The rows of a spool: a file without a name, which only this process has written."""
    size = spool.seek(0, 2)
    spool.seek(0)
    while spool.tell() < size:
        found: Any = pickle.load(spool)
        yield found
