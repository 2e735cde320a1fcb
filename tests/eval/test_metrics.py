"""The metrics against scipy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2_contingency

from eval.metrics import box_of, chi_square_p, tabulate
from eval.tasks.figures import Row, correlation
from resa.types import Response, Sample


@given(st.lists(st.tuples(st.integers(1, 40), st.integers(1, 40)), min_size=2, max_size=4))
def test_chi_square_is_scipys(table: list[tuple[int, int]]) -> None:
    assert float(chi_square_p(table)) == pytest.approx(chi2_contingency(table)[1], abs=1e-12)


def test_chi_square_leaves_out_what_does_not_occur() -> None:
    assert float(chi_square_p([[3, 0], [5, 0]])) == 1.0
    assert float(chi_square_p([[3, 4], [0, 0], [1, 6]])) == pytest.approx(chi2_contingency([[3, 4], [1, 6]])[1])
    assert tabulate(["b", "a", "b"], [1, 0, 1]).tolist() == [[1, 0], [0, 2]]


@given(st.lists(st.tuples(st.integers(-100, 100), st.integers(-100, 100)), min_size=3, max_size=30))
def test_correlation_from_sums(pairs: list[tuple[int, int]]) -> None:
    x, y = np.array(pairs, float).T
    figure = correlation("v", "pearson", lambda row: float(row.sample.meta["x"]))
    rows = [
        Row(Sample(str(n), "T", "v", (), float(b), 1, meta={"x": a}), Response(str(n), "", ""), {}, "paper")
        for n, (a, b) in enumerate(pairs)
    ]
    found = float(figure.finish(np.array([figure.columns(row) for row in rows], float).sum(0)))
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        assert np.isnan(found)
    else:
        assert found == pytest.approx(np.corrcoef(x, y)[0, 1], abs=1e-6)


def test_boxes() -> None:
    assert box_of("'''[100/640, 0.5, 1, 1]'''") == (0.15625, 0.5, 1.0, 1.0)
    assert box_of("[1, 2, 3]") is None
    assert box_of("no box") is None
    assert box_of("[1/0, 1, 1, 1]") is None
