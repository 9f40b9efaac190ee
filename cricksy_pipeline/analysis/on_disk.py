"""Arrays that wait on disk.

Belongs here: moving arrays from memory to a file that has no name. Does not belong here: which can wait (`pose`, `passes`).
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping

import numpy as np

_ALIGNED = 64


def on_disk(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The same arrays, read-only, each in memory only as far as it is read, and only until the system needs the room.

    The file vanishes with the last of them. Raises OSError where there is no room for it.
    """
    there = {}
    with tempfile.TemporaryFile() as file:
        for name, values in arrays.items():
            offset = file.seek(-(-file.tell() // _ALIGNED) * _ALIGNED)
            file.write(values.tobytes())
            file.flush()
            # The mapping outlives the file's closing.
            there[name] = np.asarray(np.memmap(file, values.dtype, "r", offset, values.shape)) if values.size else values
    return there
