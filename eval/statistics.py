"""Resampling: intervals, and paired comparison of two runs on the same samples.

Figures are functions of sums over samples, so a resample is a weighting of the sums. Samples that share a cluster (an
image, a statement) get one weight. The weights are those of the Bayesian bootstrap (Rubin, Annals of Statistics 1981):
independent exponentials, of which only the ratios matter. Unlike drawing with replacement it never leaves a small
variant empty, and one weighting serves all figures of all tasks, so that scores made of them keep their dependence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from eval.tasks.figures import Array
from resa.types import Score

DRAWS = 1000
LEVEL = 95.0
DIGITS = 10


@dataclass(frozen=True)
class Resampler:
    """``weights``: (draws + 1, clusters); its first row is ones, so that the first value of anything resampled is the
    plain one."""

    clusters: tuple[str, ...]
    weights: Array

    @staticmethod
    def of(clusters: Sequence[str], seed: int, draws: int = DRAWS) -> Resampler:
        """Weights for the clusters, whatever order and repetition they come in."""
        names = tuple(sorted(set(clusters)))
        drawn = np.random.default_rng(seed).exponential(size=(draws, len(names)))
        return Resampler(names, np.concatenate([np.ones((1, len(names))), drawn]))

    def index(self, clusters: Sequence[str]) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
        return np.searchsorted(np.array(self.clusters), np.array(clusters)).astype(np.intp)

    def sums(self, index: np.ndarray[tuple[int], np.dtype[np.intp]], columns: Array) -> Array:
        """Weighted sums.

        Args:
            index: (samples,) cluster of each sample; columns: (samples, k).

        Returns:
            (draws + 1, k).
        """
        used, place = np.unique(index, return_inverse=True)
        by_cluster = np.zeros((len(used), columns.shape[1]))
        np.add.at(by_cluster, place, columns)
        sums: Array = self.weights[:, used] @ by_cluster
        sums[0] = columns.sum(0)  # exactly, not by the matrix product's order
        return sums


def interval(values: Array, n: int) -> Score:
    """The first value with the central 95 % of the others; no score where it is not a number."""
    value = float(values[0])
    if not np.isfinite(value):
        return Score(None, n=n, reason="not defined on these answers")
    others = values[1:][np.isfinite(values[1:])]
    if not len(others):
        return Score(round(value, DIGITS), n=n)
    low, high = np.percentile(others, [(100 - LEVEL) / 2, (100 + LEVEL) / 2])
    return Score(round(value, DIGITS), round(float(min(low, value)), 6), round(float(max(high, value)), 6), n)


@dataclass(frozen=True)
class Difference:
    """A minus B on the same samples: its interval, and the two-sided p-value of no difference."""

    score: Score
    p_value: float


def paired(first: Array, second: Array, shuffled: Array, n: int) -> Difference:
    """Compare two runs.

    Args:
        first, second: a score under the same weights, plain value first.
        shuffled: differences of the score where, cluster by cluster, the two runs' answers were exchanged by a coin.
    """
    difference = first - second
    finite = shuffled[np.isfinite(shuffled)]
    extreme = int((np.abs(finite) >= abs(difference[0]) - 1e-12).sum())
    return Difference(interval(difference, n), (1 + extreme) / (1 + len(finite)))


def adjust(p_values: Sequence[float]) -> list[float]:
    """Holm's correction: p-values that hold for all comparisons together."""
    order = np.argsort(p_values)
    adjusted, highest = [1.0] * len(p_values), 0.0
    for rank, place in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[int(place)]))
        adjusted[int(place)] = highest
    return adjusted
