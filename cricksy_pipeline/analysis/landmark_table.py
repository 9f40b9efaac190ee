"""Landmarks and frame plans as Parquet.

Belongs here: the two table layouts and their exact round trip. Does not belong here: where the bytes are kept (`store`), what the numbers
mean (`landmarks`, `video`, `sampling`).

3,653 frames take 2.3 MB this way (28 MB as JSON): one column per coordinate, byte_stream_split, zstd.
"""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import numpy as np

from cricksy_pipeline.analysis.landmarks import GRID_DEEP, GRID_QUICK, LANDMARK_NAMES, Landmarks
from cricksy_pipeline.analysis.sampling import SamplingPlan
from cricksy_pipeline.analysis.video_index import FrameIndex

if TYPE_CHECKING:
    import pyarrow as pa

_HEADER = b"cricksy"
_PARTS: dict[str, tuple[str, tuple[int, ...]]] = {
    "x": ("xy", (0,)),
    "y": ("xy", (1,)),
    "z": ("z", ()),
    "visibility": ("visibility", ()),
    "presence": ("presence", ()),
    "world_x": ("world", (0,)),
    "world_y": ("world", (1,)),
    "world_z": ("world", (2,)),
}
"""By column of a landmark, the array of `Landmarks` that holds it, and where in it."""
_NOT_SAMPLED = 255


def to_parquet(landmarks: Landmarks) -> bytes:
    """One row per frame: frame, t_s, source, shot, camera_x, camera_y, doubt, then for each landmark `nose_x` ... `nose_world_z` (float32;
    NaN where nobody was found)."""
    columns: dict[str, np.ndarray] = {"frame": landmarks.frame, "t_s": landmarks.t_s, "source": landmarks.source}
    columns |= {"shot": landmarks.shot, "doubt": landmarks.doubt}
    columns |= {f"camera_{axis}": np.ascontiguousarray(landmarks.camera[:, i]) for i, axis in enumerate("xy")}
    for i, name in enumerate(LANDMARK_NAMES):
        for value, (array, part) in _PARTS.items():
            columns[f"{name}_{value}"] = np.ascontiguousarray(getattr(landmarks, array)[(slice(None), i, *part)])
    return _write(columns, {"table": "landmarks", "width": landmarks.width, "height": landmarks.height})


def from_parquet(data: bytes) -> Landmarks:
    """The landmarks that `to_parquet` wrote, bit for bit. Tables of before there were shots, camera and doubt have zeros there.

    Raises:
        ValueError: the bytes are not such a table.
    """
    columns, header = _read(data, "landmarks")
    n = len(columns["frame"])
    shapes = {"xy": (2,), "z": (), "visibility": (), "presence": (), "world": (3,)}
    arrays = {array: np.empty((n, len(LANDMARK_NAMES), *shape), np.float32) for array, shape in shapes.items()}
    for i, name in enumerate(LANDMARK_NAMES):
        for value, (array, part) in _PARTS.items():
            # Taken out as it is copied: an hour's landmarks are 40 MB, and each is in memory once.
            arrays[array][(slice(None), i, *part)] = columns.pop(f"{name}_{value}")
    return Landmarks(
        frame=columns["frame"],
        t_s=columns["t_s"],
        source=columns["source"],
        width=header["width"],
        height=header["height"],
        shot=columns.get("shot"),
        camera=np.stack([columns["camera_x"], columns["camera_y"]], axis=1) if "camera_x" in columns else None,
        doubt=columns.get("doubt"),
        **arrays,
    )


def frame_table_to_parquet(index: FrameIndex, plan: SamplingPlan) -> bytes:
    """One row per frame of the video: frame, t_s, pts, keyframe, sampled_by (`landmarks.GRID_QUICK`, `GRID_DEEP`, null for neither)."""
    sampled_by = np.full(len(index), _NOT_SAMPLED, np.uint8)
    sampled_by[plan.deep] = GRID_DEEP
    sampled_by[plan.quick] = GRID_QUICK
    columns = {"frame": np.arange(len(index)), "t_s": index.t_s, "pts": index.pts, "keyframe": index.keyframe, "sampled_by": sampled_by}
    return _write(columns, {"table": "frames", **index.header()})


def frame_table_from_parquet(data: bytes) -> tuple[FrameIndex, SamplingPlan]:
    """The index and the plan that `frame_table_to_parquet` wrote. Raises ValueError where the bytes are not such a table."""
    columns, header = _read(data, "frames")
    sampled_by = columns["sampled_by"]
    plan = SamplingPlan(np.flatnonzero(sampled_by == GRID_QUICK), np.flatnonzero(sampled_by != _NOT_SAMPLED))
    return FrameIndex.from_parts(header, columns["t_s"], columns["pts"], columns["keyframe"]), plan


# From numpy to Arrow and back by their buffers: `pa.array` and `to_numpy` import pandas to see that it is not needed, and `pq.read_table`
# a reader of many files: 0.3 CPU s that every run would pay.


def _write(columns: dict[str, np.ndarray], header: dict[str, Any]) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    arrays = [_column(values, values != _NOT_SAMPLED if name == "sampled_by" else None) for name, values in columns.items()]
    table = pa.Table.from_arrays(arrays, names=list(columns)).replace_schema_metadata({_HEADER: json.dumps(header, allow_nan=False)})
    floats = [name for name, values in columns.items() if values.dtype.kind == "f"]
    dictionary_free = {"use_dictionary": False, "use_byte_stream_split": floats}
    out = io.BytesIO()
    pq.write_table(table, out, compression="zstd", **dictionary_free)
    pa.default_memory_pool().release_unused()  # Arrow would keep it for a next table; a run writes and reads a handful
    return out.getvalue()


def _column(values: np.ndarray, valid: np.ndarray | None) -> pa.Array:
    """(n,) numbers or truth values as Arrow has them; null where not `valid`."""
    import pyarrow as pa

    held = [None if valid is None else _bits(valid), _bits(values) if values.dtype == bool else pa.py_buffer(np.ascontiguousarray(values))]
    return pa.Array.from_buffers(pa.from_numpy_dtype(values.dtype), len(values), held)


def _bits(values: np.ndarray) -> pa.Buffer:
    """Truth values as Arrow holds them, eight to a byte; `_truths` reads them back."""
    import pyarrow as pa

    return pa.py_buffer(np.packbits(values, bitorder="little"))


def _truths(bits: pa.Buffer, count: int) -> np.ndarray:
    return np.unpackbits(np.frombuffer(bits, np.uint8), count=count, bitorder="little").astype(bool)


def _read(data: bytes, kind: str) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        # No thread pools for small tables: one of pyarrow's threads outlived the interpreter, and aborted it, at 3 of 40 exits.
        table = pq.ParquetFile(io.BytesIO(data), pre_buffer=False).read(use_threads=False)
        header = json.loads((table.schema.metadata or {})[_HEADER])
        if header["table"] != kind:
            raise ValueError(f"this is a table of {header['table']}, not of {kind}")
        return {name: np.concatenate([_values(part) for part in table[name].chunks]) for name in table.column_names}, header
    except (pa.ArrowException, KeyError) as error:
        raise ValueError(f"not a Parquet table of {kind}") from error
    finally:
        table = None
        pa.default_memory_pool().release_unused()  # see `_write`


def _values(part: pa.Array) -> np.ndarray:
    """(n,) what Arrow holds, in its own memory where it can stay there; `_NOT_SAMPLED` for null."""
    import pyarrow as pa

    valid, held = part.buffers()
    reach = part.offset + len(part)
    boolean = pa.types.is_boolean(part.type)
    values = _truths(held, reach) if boolean else np.frombuffer(held, part.type.to_pandas_dtype(), reach)
    if part.null_count:
        values = np.where(_truths(valid, reach), values, values.dtype.type(_NOT_SAMPLED))
    return values[part.offset :]
