"""Medians that are numpy's, to the bit."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from cricksy_pipeline.analysis.medians import median, medians, medians_of_three

FINITE = st.floats(-1e6, 1e6)


@given(arrays.arrays(np.float64, st.integers(1, 60), elements=FINITE))
def test_the_median_of_some_values_is_numpys(values):
    assert median(values) == np.median(values)


@given(arrays.arrays(np.float64, st.tuples(st.integers(1, 4), st.integers(1, 40)), elements=FINITE))
def test_the_medians_of_rows_are_numpys_and_leave_the_rows_as_they_were(rows):
    before = rows.copy()
    assert np.array_equal(medians(rows), np.median(rows, axis=1))
    assert np.array_equal(rows, before)


@given(arrays.arrays(np.float64, st.tuples(st.integers(0, 20), st.just(2)), elements=FINITE | st.just(np.nan)))
def test_the_medians_of_three_are_numpys_also_where_one_is_missing(values):
    three = np.stack([values[:-2], values[1:-1], values[2:]])
    assert np.array_equal(medians_of_three(values), np.median(three, axis=0), equal_nan=True)


def test_of_no_values_the_median_is_nothing():
    assert median(np.zeros(0)) == 0
