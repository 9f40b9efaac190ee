"""The player's landmarks as a TRC file, which OpenSim, Mokka and the like open as marker trajectories.

Belongs here: the layout of `landmarks.trc`, writing it, and telling whether bytes are it. Does not belong here: how landmarks are estimated
or put right (`analysis`), the lossless table (`analysis.landmark_table`), where the file lies (`store`).

What a reader must know, and the first line of the file says: these are picture coordinates of one camera, not places in the world. X is to
the right, Y up from the lower edge, Z always 0. TRC knows no pixels, so one pixel is written as one millimetre: OpenSim shows nothing of a
file in a unit that it does not know. BlazePose's guess of places in metres is in `deep_frames.parquet`, for research.

TRC demands a constant rate. Row k is at k / rate, the rate being the video's own. A frame that was looked at fills the row nearest to it:
as it is where the two times agree, else (a video of variable rate) moved to the time of the row, in a straight line between it and the
looked-at frame on the other side. Every other row holds NaN: nothing was looked at there, and nothing is made up. So do landmarks that were
more likely hidden than seen. Exchanged sides are put back, as in every picture of ours. Layout: OpenSim documentation, "Marker (.trc)
Files"; NaN rather than empty cells, because older versions of OpenSim count the cells of a row.
"""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterator

import numpy as np

from cricksy_pipeline.analysis.landmarks import LANDMARK_NAMES, Landmarks
from cricksy_pipeline.analysis.swaps import repaired
from cricksy_pipeline.reading.drawing.pictures import SURE

SAME_TIME_S = 0.001
"""A frame this near to its row's time is taken as it is: containers round their timestamps to a millisecond."""
LONGEST_GAP_S = 0.15
"""No line is drawn between frames further apart: one step of the 10 Hz grid, and a half. House default."""
COMMENT = (
    "2-D picture coordinates of one camera, no places in the world: 1 mm stands for 1 pixel; X right, Y up from the lower edge, "
    "Z always 0; NaN: not looked at, not found or hidden"
)
_KEYS = ("DataRate", "CameraRate", "NumFrames", "NumMarkers", "Units", "OrigDataRate", "OrigDataStartFrame", "OrigNumFrames")
_COLUMNS = 2 + 3 * len(LANDMARK_NAMES)


def landmarks_trc(landmarks: Landmarks, *, rate: float, frames: int, name: str = "landmarks.trc") -> bytes:
    """The whole file.

    Args:
        landmarks: as stored; sides may still be exchanged.
        rate: frames a second of the video, as an average where it varies.
        frames: how many frames the video has, and the file rows.
        name: written into the header.

    Raises:
        ValueError: no rate, or no frames.
    """
    if not (np.isfinite(rate) and rate > 0 and frames >= 1):
        raise ValueError(f"a TRC file has a rate and rows, not {rate} a second and {frames}")
    row, xy = at_constant_rate(repaired(landmarks) if len(landmarks) else landmarks, rate, frames)
    up = np.stack([xy[..., 0], landmarks.height - xy[..., 1], np.where(np.isfinite(xy[..., 0]), 0.0, np.nan)], axis=-1)
    file = io.BytesIO()  # line by line: as a list, an hour's lines are 200 MB
    file.writelines(
        line.encode() for line in itertools.chain(_header(rate, frames, name), _rows(row, up.reshape(len(row), _COLUMNS - 2), rate, frames))
    )
    return file.getvalue()


def at_constant_rate(landmarks: Landmarks, rate: float, frames: int) -> tuple[np.ndarray, np.ndarray]:
    """Which rows of a file with a constant rate are filled, and with what.

    Returns:
        Row numbers (k,) from 0, increasing, and (k, 33, 2) upright pixels, y down, at the times row / rate; NaN where a landmark was not
        found or more likely hidden than seen.
    """
    xy = np.where((landmarks.visibility >= SURE)[..., None], landmarks.xy.astype(np.float64), np.nan)
    nearest = np.clip(np.round(landmarks.t_s * rate).astype(np.int64), 0, frames - 1)
    late = nearest / rate - landmarks.t_s
    order = np.lexsort((np.abs(late), nearest))
    chosen = order[np.unique(nearest[order], return_index=True)[1]]
    values = [xy[i] if abs(late[i]) <= SAME_TIME_S else _moved(landmarks, xy, i, late[i]) for i in chosen]
    filled = [(int(nearest[i]), value) for i, value in zip(chosen, values, strict=True) if np.isfinite(value).any()]
    return np.array([row for row, _ in filled], np.int64), np.array([value for _, value in filled]).reshape(len(filled), 33, 2)


def _moved(landmarks: Landmarks, xy: np.ndarray, i: int, late: float) -> np.ndarray:
    """Frame i's landmarks at `late` seconds after it (before it, where negative); NaN where no frame on that side is near enough."""
    j = i + (1 if late > 0 else -1)
    nothing = np.full(xy.shape[1:], np.nan)
    if not 0 <= j < len(xy) or landmarks.shot[i] != landmarks.shot[j]:
        return nothing
    step = float(landmarks.t_s[j] - landmarks.t_s[i])
    return xy[i] + (xy[j] - xy[i]) * (late / step) if abs(step) <= LONGEST_GAP_S else nothing


def landmarks_trc_problem(data: bytes, frames: int) -> str | None:
    """Why the bytes are not a TRC file of so many rows; None: they are."""
    lines = io.BytesIO(data)
    header = [lines.readline().decode("ascii", "replace").rstrip("\n") for _ in range(6)]
    if not header[0].startswith("PathFileType\t4\t(X/Y/Z)\t") or tuple(header[1].split("\t")) != _KEYS:
        return "it has not the header of a TRC file"
    told = dict(zip(_KEYS, header[2].split("\t"), strict=False))
    rows, short = 0, None
    for line in lines:
        if line != b"\n":
            rows += 1
            if short is None and line.count(b"\t") != _COLUMNS - 1:
                short = rows
    if (told.get("NumFrames"), told.get("NumMarkers")) != (str(frames), str(len(LANDMARK_NAMES))) or rows != frames:
        return f"{rows} rows, header of {told.get('NumFrames')}, not {frames}"
    return None if short is None else f"row {short} has another number of cells than the header has columns"


def _header(rate: float, frames: int, name: str) -> list[str]:
    shown = f"{rate:.10g}"
    values = (shown, shown, str(frames), str(len(LANDMARK_NAMES)), "mm", shown, "1", str(frames))
    axes = [f"{axis}{i}" for i in range(1, len(LANDMARK_NAMES) + 1) for axis in "XYZ"]
    return [
        f"PathFileType\t4\t(X/Y/Z)\t{name}\t{COMMENT}\n",
        "\t".join(_KEYS) + "\n",
        "\t".join(values) + "\n",
        "Frame#\tTime\t" + "\t\t\t".join(LANDMARK_NAMES) + "\t\t\n",
        "\t\t" + "\t".join(axes) + "\n",
        "\n",
    ]


def _rows(filled: np.ndarray, values: np.ndarray, rate: float, frames: int) -> Iterator[str]:
    empty, layout = "\t".join(["NaN"] * (_COLUMNS - 2)), "\t".join(["%.2f"] * (_COLUMNS - 2))
    at = dict(zip(filled.tolist(), range(len(filled)), strict=True))
    for k in range(frames):
        cells = (layout % tuple(values[at[k]].tolist())).replace("nan", "NaN") if k in at else empty
        yield f"{k + 1}\t{k / rate:.6f}\t{cells}\n"
