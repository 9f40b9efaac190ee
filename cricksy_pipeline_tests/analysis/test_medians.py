"""Medians that are numpy's, to the bit."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from cricksy_pipeline.analysis.medians import median, medians

FINITE = st.floats(-1e6, 1e6)


@given(arrays.arrays(np.float64, st.integers(1, 60), elements=FINITE))
def test_the_median_of_some_values_is_numpys(values):
    assert median(values) == np.median(values)


@given(arrays.arrays(np.float64, st.tuples(st.integers(1, 4), st.integers(1, 40)), elements=FINITE))
def test_the_medians_of_rows_are_numpys_and_leave_the_rows_as_they_were(rows):
    before = rows.copy()
    assert np.array_equal(medians(rows), np.median(rows, axis=1))
    assert np.array_equal(rows, before)


def test_of_no_values_the_median_is_nothing():
    assert median(np.zeros(0)) == 0
