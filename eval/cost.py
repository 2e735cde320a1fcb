"""What answers cost: tokens and seconds, per answer."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import Any

from resa.types import Response, Sample, Score

Z_95 = 1.959963984540054


def cost_of(samples: Sequence[Sample], responses: Sequence[Response]) -> dict[str, Any]:
    """Mean tokens in, tokens out and seconds per answer, over the answers that came; and how many are not whole.

    Seconds are wall time of the batch shared over its rows, so they say what the run cost, on its machine and at its
    batch size; they are not the latency of one request.
    """
    answered = [response for response in responses if response.status != "error"]
    return {
        "tokens_in_per_answer": mean_score([response.tokens_in for response in answered]).to_json(),
        "tokens_out_per_answer": mean_score([response.tokens_out for response in answered]).to_json(),
        "seconds_per_answer": mean_score([response.seconds for response in answered]).to_json(),
        "answers": len(answered),
        "errors": len(responses) - len(answered),
        "unclosed_thoughts": sum(response.status == "unclosed_thought" for response in answered),
        "cut_at_limit": sum(response.status == "length" for response in answered),
        "with_thought": sum(response.thought is not None for response in answered),
        "with_image": sum(bool(sample.images) for sample in samples),
    }


def mean_score(values: Sequence[float]) -> Score:
    """The mean with its normal 95 % interval; no value where there are none."""
    if not values:
        return Score(None, reason="no answers")
    mean = statistics.fmean(values)
    half = Z_95 * statistics.stdev(values) / math.sqrt(len(values)) if len(values) > 1 else 0.0
    return Score(round(mean, 6), round(mean - half, 6), round(mean + half, 6), len(values))
