"""The stills of a clip's deliveries as one picture: a row for each ball, a still for each event, one before and one after.

Belongs here: drawing over pixels that are handed in, and the mark by which a strip is known again. Does not belong here: which moments
(`analysis.moments`), decoding.

Every still of a row is cut to the same size around the player, so that the figure is of one scale and a phone shows it large enough.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cricksy_pipeline.analysis.landmarks import INDEX
from cricksy_pipeline.analysis.metrics.uncertainty import Z95
from cricksy_pipeline.reading.drawing.pictures import encoded, skeleton_over
from cricksy_pipeline.reading.notation import clock, time_with_interval, words

TILE_WIDTH, TILE_HEIGHT = 240, 320
GAP, MARGIN, HEAD, FOOT = 8, 12, 40, 56
ROOM = 1.25
"""Height of a still over the tallest the player is in its row."""
PAPER, INK, QUIET, UNKNOWN = (255, 255, 255), (23, 32, 27), (85, 98, 90), (208, 214, 210)
TITLE_SIZE, NAME_SIZE, TIME_SIZE = 22, 20, 18
_MARK = b"cricksy-moments"
_SIGNATURE = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class Still:
    """One moment of a ball.

    Attributes:
        event: its name, e.g. `front_foot_down`, or `before`, `after`.
        t_s: presentation time in seconds.
        sigma_s: one standard deviation of the event's time; None before and after.
        image_rgb: (h, w, 3) uint8 upright; None: the video was not opened, and the figure is drawn on a plain ground.
        xy: (33, 2) landmarks in pixels of `image_rgb` (any scale where there is none); NaN is not drawn.
        visibility: (33,) in [0, 1].
    """

    event: str
    t_s: float
    sigma_s: float | None
    image_rgb: np.ndarray | None
    xy: np.ndarray
    visibility: np.ndarray


@dataclass(frozen=True)
class Row:
    """One ball: its title and its stills in time order."""

    title: str
    stills: tuple[Still, ...]


def strip_png(rows: Sequence[Row], mark: str = "") -> bytes:
    """The strip as PNG. Without rows it says that no ball was found.

    Args:
        rows: from top to bottom.
        mark: what it shows, in short; `mark_of` reads it again.
    """
    tiles = max((len(row.stills) for row in rows), default=2)
    width = 2 * MARGIN + tiles * TILE_WIDTH + (tiles - 1) * GAP
    if not rows:
        canvas = _canvas(HEAD + 2 * MARGIN, width)
        _write(canvas, "No ball was found.", (MARGIN, MARGIN + 26), TITLE_SIZE, QUIET)
        return _marked(encoded(canvas, "png"), mark)
    drawn = [_row(row, width) for row in rows]
    return _marked(encoded(np.vstack(drawn), "png"), mark)


def mark_of(png: bytes) -> str | None:
    """The mark that `strip_png` put into its picture; None for any other picture."""
    at = png.find(b"tEXt" + _MARK + b"\0")
    if not png.startswith(_SIGNATURE) or at < 4:
        return None
    (length,) = struct.unpack(">I", png[at - 4 : at])
    return png[at + 4 + len(_MARK) + 1 : at + 4 + length].decode("latin-1")


def mark(rows: Sequence[tuple[int, str, int, np.ndarray]]) -> str:
    """A mark from what is shown: (delivery, event, frame, (33, 2) landmarks) of each still, landmarks to the pixel."""
    text = hashlib.sha256()
    for delivery, event, frame, xy in rows:
        text.update(f"{delivery} {event} {frame} ".encode())
        text.update(np.nan_to_num(np.round(xy), nan=-1e6).astype(np.int32).tobytes())
    return text.hexdigest()


# ------------------------------------------------------------------------------------------------------------------- drawing


def _row(row: Row, width: int) -> np.ndarray:
    canvas = _canvas(HEAD + TILE_HEIGHT + FOOT + MARGIN, width)
    _write(canvas, row.title, (MARGIN, 28), TITLE_SIZE, INK)
    size = _size([still.xy for still in row.stills])
    for i, still in enumerate(row.stills):
        left = MARGIN + i * (TILE_WIDTH + GAP)
        canvas[HEAD : HEAD + TILE_HEIGHT, left : left + TILE_WIDTH] = _tile(still, size)
        _write(canvas, words(still.event), (left + 2, HEAD + TILE_HEIGHT + 22), NAME_SIZE, INK if still.sigma_s is not None else QUIET)
        _write(canvas, _when(still), (left + 2, HEAD + TILE_HEIGHT + 45), TIME_SIZE, QUIET)
    return canvas


def _when(still: Still) -> str:
    """An event's time with its 95 % interval; before and after have a time alone."""
    return clock(still.t_s) if still.sigma_s is None else time_with_interval(still.t_s, Z95 * still.sigma_s)


def _size(bodies: Sequence[np.ndarray]) -> float:
    """Height of the part that is cut out of each picture of a row, pixels: room for the player where he reaches furthest."""
    seen = [xy[np.isfinite(xy).all(axis=1)] for xy in bodies]
    reach = [max(np.ptp(xy[:, 1]), np.ptp(xy[:, 0]) * TILE_HEIGHT / TILE_WIDTH) for xy in seen if len(xy)]
    return ROOM * max([*reach, 16.0])


def _tile(still: Still, size: float) -> np.ndarray:
    """The part of the picture around the player, (TILE_HEIGHT, TILE_WIDTH, 3); grey beyond the picture's edge."""
    import cv2

    scale = TILE_HEIGHT / size
    move = np.array([TILE_WIDTH / 2, TILE_HEIGHT / 2]) - scale * _centre(still.xy)
    tile = np.full((TILE_HEIGHT, TILE_WIDTH, 3), UNKNOWN, np.uint8)
    if still.image_rgb is not None:
        image = still.image_rgb
        if scale < 0.7:  # the picture is shrunk first, or thin lines would flicker
            small = tuple(max(1, round(side * scale)) for side in image.shape[1::-1])
            image, scale = cv2.resize(image, small, interpolation=cv2.INTER_AREA), 1.0
        way = np.array([[scale, 0, move[0]], [0, scale, move[1]]])
        tile = cv2.warpAffine(
            image, way, (TILE_WIDTH, TILE_HEIGHT), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=UNKNOWN
        )
    return skeleton_over(tile, still.xy * (TILE_HEIGHT / size) + move, still.visibility, max_side=TILE_HEIGHT)


def _centre(xy: np.ndarray) -> np.ndarray:
    seen = xy[np.isfinite(xy).all(axis=1)]
    if not len(seen):
        return np.zeros(2)
    hips = xy[[INDEX["left_hip"], INDEX["right_hip"]]]
    low, high = seen.min(axis=0), seen.max(axis=0)
    across = hips[:, 0].mean() if np.isfinite(hips).all() else (low[0] + high[0]) / 2
    # The hips in the middle, unless a stretched arm or foot would then be cut off.
    across = float(np.clip(across, high[0] - 0.45 * _width_of(low, high), low[0] + 0.45 * _width_of(low, high)))
    return np.array([across, (low[1] + high[1]) / 2])


def _width_of(low: np.ndarray, high: np.ndarray) -> float:
    return float(max(high[0] - low[0], (high[1] - low[1]) * TILE_WIDTH / TILE_HEIGHT) * ROOM)


def _canvas(height: int, width: int) -> np.ndarray:
    return np.full((height, width, 3), PAPER, np.uint8)


def _write(canvas: np.ndarray, text: str, at: tuple[int, int], size: int, colour: tuple[int, int, int]) -> None:
    import cv2

    cv2.putText(canvas, text, at, colour, cv2.FontFace("sans"), size)


def _marked(png: bytes, mark: str) -> bytes:
    """The PNG with a text chunk before its end (PNG specification, 11.3.4.3)."""
    body = b"tEXt" + _MARK + b"\0" + mark.encode("latin-1", "replace")
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    end = png.rindex(b"IEND") - 4
    return png[:end] + chunk + png[end:]


def as_jpeg(png: bytes) -> bytes:
    """The same picture as JPEG, about a fifth of the size, for a page that carries it inside. Raises ValueError for what is no picture."""
    import cv2

    image = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        raise ValueError("the strip is no picture")
    return cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 82])[1].tobytes()


def cut_tiles(png: bytes, counts: Sequence[int]) -> list[list[bytes]] | None:
    """The single stills of a strip as JPEG, row by row, for a page that sets the words itself.

    Args:
        png: from `strip_png`.
        counts: how many stills each of its rows holds.

    Returns:
        None where the picture is not the strip of such rows: nothing is cut out of it then.
    """
    import cv2

    image = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)
    high = HEAD + TILE_HEIGHT + FOOT + MARGIN
    wide = 2 * MARGIN + max(counts, default=0) * (TILE_WIDTH + GAP) - GAP
    if image is None or not counts or image.shape[:2] != (len(counts) * high, wide):
        return None
    return [[_cut(image, i * high + HEAD, MARGIN + j * (TILE_WIDTH + GAP)) for j in range(count)] for i, count in enumerate(counts)]


def _cut(image_bgr: np.ndarray, top: int, left: int) -> bytes:
    import cv2

    tile = image_bgr[top : top + TILE_HEIGHT, left : left + TILE_WIDTH]
    return cv2.imencode(".jpg", tile, [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes()
