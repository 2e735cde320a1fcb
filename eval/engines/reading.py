"""From a raw completion to a :class:`resa.types.Response`."""

from __future__ import annotations

from resa import reasoning
from resa.types import Response, ResponseStatus, Sample


def read(sample: Sample, text: str, *, cut: bool, tokens_in: int, tokens_out: int, seconds: float) -> Response:
    """Split ``text`` (special tokens removed, think tags kept) into thought and answer.

    Args:
        cut: the completion ended at its limit, not by itself.
    """
    parts = reasoning.parse(text)
    status: ResponseStatus = "complete"
    if not parts.closed:
        status = "unclosed_thought"
    elif cut:
        status = "length"
    return Response(
        sample.id, text, parts.answer, parts.thought, status, None, tokens_in, tokens_out, round(seconds, 6)
    )


def failed(sample: Sample, error: str, seconds: float = 0.0) -> Response:
    """The response that stands for no answer at all; its text is empty, so no rule can read a refusal in it."""
    return Response(sample.id, "", "", None, "error", error, seconds=round(seconds, 6))
