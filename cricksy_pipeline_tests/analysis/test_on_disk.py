"""Arrays that wait on disk: the same numbers, and no memory until they are read."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from cricksy_pipeline.analysis.on_disk import on_disk

DTYPES = st.sampled_from([np.float32, np.float64, np.int32, np.int64, np.uint8, bool])
ARRAYS = arrays_of.arrays(DTYPES, arrays_of.array_shapes(max_dims=3, min_side=0, max_side=5))


@given(st.dictionaries(st.text(min_size=1, max_size=3), ARRAYS, max_size=4))
def test_what_waits_on_disk_is_the_same_to_the_bit(arrays):
    waiting = on_disk(arrays)
    assert list(waiting) == list(arrays)
    for name, values in arrays.items():
        assert waiting[name].dtype == values.dtype
        assert waiting[name].shape == values.shape
        assert waiting[name].tobytes() == values.tobytes()


def test_nobody_can_change_what_waits():
    with pytest.raises(ValueError, match="read-only"):
        on_disk({"a": np.ones(3)})["a"][0] = 2.0


PROGRAM = """
import os
from pathlib import Path
import numpy as np
from cricksy_pipeline.analysis.on_disk import on_disk

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

before = resident()
waiting = on_disk({"a": np.ones(25_000_000)})
print(resident() - before)
assert waiting["a"].sum() == 25_000_000
print(resident() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_what_waits_is_in_memory_only_once_it_is_read():
    said = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, timeout=60)
    waiting, read = (int(line) for line in said.stdout.split())
    assert waiting < 20e6
    assert read > 150e6
