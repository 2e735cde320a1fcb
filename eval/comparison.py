"""Two models on the same samples: paired differences, with intervals and p-values."""

from __future__ import annotations

import numpy as np

from eval.aggregation import Trust
from eval.evidence import Run
from eval.statistics import Difference, paired
from eval.tasks.figures import Array, Profile
from resa.errors import DataError


def compare(first: Run, second: Run, profile: Profile, repeats: int = 1000) -> dict[str, Difference]:
    """Differences first minus second, of two models on the same samples: ``overall``, ``S.J``, ``S5`` ...

    Intervals come from the common resampling; p-values from exchanging the two models' answers cluster by cluster.

    Raises:
        DataError: the runs are not over the same samples.
    """
    if [sample.id for sample in first.samples] != [sample.id for sample in second.samples]:
        raise DataError("the two runs are not over the same samples", remedy="evaluate both with one benchmark")
    coins = np.random.default_rng([first.benchmark.seed, 1]).integers(0, 2, (repeats, len(first.resampler.clusters)))
    swap = coins.astype(float)
    plain = flat(first.trust(profile)), flat(second.trust(profile))
    shuffled = flat(first.trust(profile, second, swap)), flat(second.trust(profile, first, swap))
    n = len(first.samples)
    return {
        name: paired(ours, plain[1][name], shuffled[0][name] - shuffled[1][name], n)
        for name, ours in plain[0].items()
        if name in plain[1] and name in shuffled[0] and name in shuffled[1]
    }


def flat(trust: Trust) -> dict[str, Array]:
    """All scores of a profile by one name each."""
    overall = {} if trust.overall is None else {"overall": trust.overall}
    return {**overall, **trust.aspects, **trust.sub_aspects, **trust.tasks}
