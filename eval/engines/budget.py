"""How many tokens an answer may have when a thought may come before it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from resa.reasoning import CLOSE, OPEN

TAIL = 4 * len(CLOSE)
"""More tokens than a closing tag can have, whatever the tokenizer."""


class AnswerBudget:
    """Decides, row by row, when a generation has used up its tokens.

    A task's limit counts the answer. A model that opens a thought gets up to ``thought_tokens`` more for it; one that
    does not gets the official limit and nothing else, so that both are held to the same answer length.

    Args:
        limits: answer tokens allowed, per row.
        thought_tokens: tokens a thought may take on top, in all rows.
        decode: token ids -> text with the think tags kept.
        opened: the prompt itself opens the thought (some chat templates do).
    """

    def __init__(
        self, limits: Sequence[int], thought_tokens: int, decode: Callable[[Sequence[int]], str], opened: bool
    ) -> None:
        self.limits, self.thought_tokens, self.decode, self.opened = limits, thought_tokens, decode, opened
        self._answer_starts: dict[int, int] = {}
        self._thinking: set[int] = set()

    @property
    def longest(self) -> int:
        """Tokens after which every row has ended."""
        return max(self.limits) + self.thought_tokens

    def is_spent(self, row: int, length: int, ids: Sequence[int]) -> bool:
        """Whether ``row`` must stop now.

        Args:
            length: tokens generated so far; ids: these tokens.
        """
        limit = self.limits[row]
        if length < limit:
            return False
        if length >= limit + self.thought_tokens:
            return True
        start = self._answer_starts.get(row)
        if start is None:
            # The whole text is read once; while the thought goes on, only its end can bring the closing tag.
            text = self.decode(ids[-TAIL:] if row in self._thinking else ids)
            if row not in self._thinking and not (self.opened or text.lstrip().startswith(OPEN)):
                return True
            self._thinking.add(row)
            if CLOSE not in text:
                return False
            start = self._answer_starts[row] = self._after_thought(ids)
        return length - start >= limit

    def _after_thought(self, ids: Sequence[int]) -> int:
        """Length of the shortest prefix of ``ids`` in which the thought is closed."""
        low, high = 1, len(ids)
        while low < high:
            middle = (low + high) // 2
            if CLOSE in self.decode(ids[:middle]):
                high = middle
            else:
                low = middle + 1
        return low


def stopping_criterion(budget: AnswerBudget, prompt_length: int, stop_ids: frozenset[int]) -> Any:
    """``budget`` as a transformers ``StoppingCriteria`` over rows of ``[batch, prompt_length + generated]`` ids.

    Its attribute ``ends`` gives, after generation, the tokens that each row stopped at by budget (absent: it ended by
    itself).
    """
    import torch
    from transformers import StoppingCriteria

    class BudgetCriterion(StoppingCriteria):
        def __init__(self) -> None:
            self.ends: dict[int, int] = {}
            self._shortest = min(budget.limits)

        def __call__(self, input_ids: Any, scores: Any, **_: Any) -> Any:
            length = input_ids.shape[1] - prompt_length
            done = torch.zeros(input_ids.shape[0], dtype=torch.bool, device=input_ids.device)
            if length < self._shortest:
                return done
            generated = input_ids[:, prompt_length:].tolist()
            for row, ids in enumerate(generated):
                if row in self.ends:
                    done[row] = True
                elif ids[-1] not in stop_ids and budget.is_spent(row, length, ids):
                    self.ends[row] = length
                    done[row] = True
            return done

    return BudgetCriterion()
