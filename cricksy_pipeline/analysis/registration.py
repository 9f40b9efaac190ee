"""Laying one small grey picture over another: by which shift, how well, how sure.

Belongs here: a picture made ready for it (`Small`), the shift (`lay`), what changed between two pictures of one scene (`stirred`). Does not
belong here: what a shift means for shots and places (`camera_motion`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from cricksy_pipeline.analysis.medians import median

Box = tuple[float, float, float, float]
"""Left, top, width, height."""


@dataclass(frozen=True)
class CameraSettings:
    """House defaults, uncalibrated, except where a measurement is named.

    Attributes:
        long_side: pixels of the longer side of the small pictures. Measured on made-up pans with noise: at 192 a shift is told to
            0.012 of a small pixel (rms), 0.02 at worst, which is 0.2 pixel of 1920.
        alike: correlation of two pictures laid over each other from which on they show the same background.
        still_in_view: share of the reference that must be left in view; below it, another reference is taken.
        least_area: share of the picture, outside people, on which two pictures must overlap.
        least_contrast: spread of brightness, in grey levels after smoothing, below which there is nothing to hold on to.
        unsure_px: a shift whose standard error is larger, in small pixels, is not told.
        cut_histogram: two pictures that cannot be laid over each other, and of whose pixels at least this share changed brightness class,
            are of two shots.
        cut_layout: so are those whose coarse layouts correlate less. Two shots of one ground differ less than that: they are told apart by
            the next picture, which can be laid over the second and not over the first.
        returns_within_s: a shot that is back so soon was only covered by something.
    """

    long_side: int = 192
    alike: float = 0.6
    still_in_view: float = 0.6
    least_area: float = 0.1
    least_contrast: float = 1.5
    unsure_px: float = 0.3
    cut_histogram: float = 0.3
    cut_layout: float = 0.5
    returns_within_s: float = 1.0


class Small:
    """A small picture made ready: smooth, with its slopes and the part of it that is background."""

    def __init__(self, grey: np.ndarray, hidden: Iterable[Box]) -> None:
        self._grey = grey
        padded = _with_margin(grey)
        rows = padded[:-2] + padded[2:]
        rows += padded[1:-1]
        rows += padded[1:-1]
        self.values = rows[:, :-2] + rows[:, 2:]
        self.values += rows[:, 1:-1]
        self.values += rows[:, 1:-1]
        self.values *= np.float32(1 / 16)
        self.seen = np.ones(grey.shape, np.float32)
        for x, y, width, height in hidden:
            top, left = max(0, int(y)), max(0, int(x))
            self.seen[top : max(0, int(np.ceil(y + height))), left : max(0, int(np.ceil(x + width)))] = 0

    # Each is asked of few pictures: the slopes of a reference, the rest where two pictures cannot be laid over each other.

    @cached_property
    def slopes(self) -> list[np.ndarray]:
        """Of the brightness, along x and along y."""
        return list(np.gradient(self.values)[::-1])

    @cached_property
    def classes(self) -> np.ndarray:
        """(16,) share of the pixels in each brightness class."""
        return np.bincount(self._grey.ravel() >> 4, minlength=16) / self._grey.size

    @cached_property
    def layout(self) -> np.ndarray:
        """Mean brightness in blocks."""
        return _coarse(self.values)

    @cached_property
    def spectrum(self) -> np.ndarray:
        """Of the background, windowed, people filled with its mean."""
        mean = float((self.values * self.seen).sum() / max(self.seen.sum(), 1))
        window = np.outer(*(np.hanning(n) for n in self.values.shape))
        return np.fft.rfft2((self.values - mean) * self.seen * window)


@dataclass(frozen=True)
class Laid:
    """One picture laid over another: by which shift, how well, how sure, on which share of the picture."""

    shift: np.ndarray
    alike: float
    error: float
    area: float


def lay(under: Small, over: Small, guess: np.ndarray, settings: CameraSettings) -> Laid | None:
    """The best of a guess and, where that is no good, of what the spectra say; None where nothing can be told."""
    laid = _refined(under, over, guess, settings)
    if laid and laid.alike >= settings.alike + 0.5 * (1 - settings.alike):
        return laid
    other = _refined(under, over, _coarse_shift(under, over), settings)
    return max((each for each in (laid, other) if each), key=lambda each: each.alike, default=None)


def stirred(before: np.ndarray, after: np.ndarray, least_change: float = 10.0) -> np.ndarray:
    """(h, w) bool: where two small grey pictures of one scene differ once the camera's own movement is taken off.

    Where they cannot be laid over each other, everything counts as different.

    Args:
        before, after: (h, w) uint8.
        least_change: grey levels, after smoothing. House default, uncalibrated.
    """
    one, other = Small(before, ()), Small(after, ())
    settings = CameraSettings()
    laid = lay(one, other, np.zeros(2), settings)
    if laid is None or laid.alike < settings.alike:
        return np.ones(before.shape, bool)
    x, y = np.rint(laid.shift).astype(int)
    moved = np.roll(other.values, (-y, -x), axis=(0, 1))
    # At an edge of the background a shift of a part of a pixel looks like a change as large as the slope.
    slope = np.abs(one.slopes[0]) + np.abs(one.slopes[1])
    return np.abs(moved - one.values) > least_change + slope


def _refined(under: Small, over: Small, guess: np.ndarray, settings: CameraSettings, steps: int = 12) -> Laid | None:
    """The shift near a guess at which `over` lies best on `under`: Gauss-Newton on the brightness (Lucas and Kanade 1981), robust against
    what moves by itself. None where nothing can be held on to, or where no shift near the guess is best."""
    shift = np.asarray(guess, float)
    height, width = under.values.shape
    shared: _Shared | None = None
    for _ in range(steps):
        whole = (math.floor(shift[0]), math.floor(shift[1]))
        if abs(whole[0]) >= width - 8 or abs(whole[1]) >= height - 8:
            return None
        if shared is None or shared.whole != whole:
            shared = _Shared.of(under, over, whole)
        if shared.area < settings.least_area:
            return None
        here = shared.shifted(float(shift[0]) - whole[0], float(shift[1]) - whole[1])
        weight, there = shared.weight, shared.there
        here -= shared.mean(here)
        spread_here, spread_there = math.sqrt(shared.mean(here * here)), shared.spread
        if min(spread_here, spread_there) < settings.least_contrast:
            return None
        alike = shared.mean(here * there) / (spread_here * spread_there)
        rest = here
        rest *= spread_there / spread_here
        rest -= there
        some = rest[::3, ::3][shared.some]  # enough for a median
        offset = median(some)  # the mean is drawn by what moves by itself, the median hardly
        rest -= offset
        typical = 1.4826 * median(np.abs(some - offset)) + 1e-3
        robust = rest * (0.5 / typical)
        robust *= robust
        robust += 1
        robust *= robust
        np.divide(weight, robust, out=robust)  # Geman and McClure 1985
        gx, gy = shared.slopes
        by_x, by_y = robust * gx, robust * gy
        xx, xy, yy = _dot(by_x, gx), _dot(by_x, gy), _dot(by_y, gy)
        least = (xx + yy) / 2 - math.hypot((xx - yy) / 2, xy)  # smaller eigenvalue of [[xx, xy], [xy, yy]]
        determinant = xx * yy - xy * xy
        if least <= 0 or determinant <= 0:
            return None
        error = typical / math.sqrt(least)
        if error > settings.unsure_px:
            return None
        x, y = _dot(by_x, rest), _dot(by_y, rest)
        move = np.clip([(xy * y - yy * x) / determinant, (xy * x - xx * y) / determinant], -2, 2)
        shift = shift + move
        if np.abs(move).max() < 0.02:
            return Laid(shift, alike, error, shared.area)
    return None


@dataclass(frozen=True)
class _Shared:
    """What two pictures have in common under a shift by whole pixels; a shift by a part of one more changes only `shifted`.

    Attributes:
        whole: the shift, x and y.
        weight: (h, w) float32, 1 where both show background.
        total: sum of `weight`; area: as a share of the whole picture.
        there: brightness of `under` about its mean; spread: its standard deviation.
        slopes: of `under`.
        some: (h / 3, w / 3) bool, background in every third pixel.
    """

    whole: tuple[int, int]
    weight: np.ndarray
    total: float
    area: float
    there: np.ndarray
    spread: float
    slopes: tuple[np.ndarray, np.ndarray]
    some: np.ndarray
    over: np.ndarray

    @classmethod
    def of(cls, under: Small, over: Small, whole: tuple[int, int]) -> _Shared:
        height, width = under.values.shape
        x, y = whole
        rows, columns = slice(max(0, -y), min(height, height - y - 1)), slice(max(0, -x), min(width, width - x - 1))
        moved = slice(rows.start + y, rows.stop + y), slice(columns.start + x, columns.stop + x)
        weight = under.seen[rows, columns] * over.seen[moved]
        total = float(weight.sum())
        there = under.values[rows, columns] - _dot(under.values[rows, columns], weight) / max(total, 1.0)
        return cls(
            whole=whole,
            weight=weight,
            total=total,
            area=total / (height * width),
            there=there,
            spread=math.sqrt(_dot(there * there, weight) / max(total, 1.0)),
            slopes=tuple(np.ascontiguousarray(slope[rows, columns]) for slope in under.slopes),
            some=weight[::3, ::3] > 0,
            over=over.values[moved[0].start : moved[0].stop + 1, moved[1].start : moved[1].stop + 1],
        )

    def shifted(self, fx: float, fy: float) -> np.ndarray:
        """(h, w) float32, `over` shifted by the rest of a pixel."""
        at = self.over
        across = at[:, :-1] * (1 - fx)
        across += at[:, 1:] * fx
        down = across[:-1] * (1 - fy)
        down += across[1:] * fy
        return down

    def mean(self, values: np.ndarray) -> float:
        """Over the background that both show."""
        return _dot(values, self.weight) / self.total


def _with_margin(grey: np.ndarray) -> np.ndarray:
    """(h + 2, w + 2) float32, the outermost pixels repeated: `numpy.pad` with "edge" at a third of its price."""
    height, width = grey.shape
    padded = np.empty((height + 2, width + 2), np.float32)
    padded[1:-1, 1:-1] = grey
    padded[0], padded[-1] = padded[1], padded[-2]
    padded[:, 0], padded[:, -1] = padded[:, 1], padded[:, -2]
    return padded


def _dot(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.vdot(a, b))


def _coarse_shift(under: Small, over: Small) -> np.ndarray:
    """The shift, in whole small pixels, that the phases of the two spectra agree on (Kuglin and Hines 1975)."""
    cross = over.spectrum * np.conj(under.spectrum)
    peak = np.fft.irfft2(cross / np.maximum(np.abs(cross), 1e-9), s=under.values.shape)
    y, x = np.unravel_index(int(np.argmax(peak)), peak.shape)
    height, width = peak.shape
    return np.array([x - width if x > width // 2 else x, y - height if y > height // 2 else y], float)


def _coarse(values: np.ndarray, blocks: int = 8) -> np.ndarray:
    """Mean brightness in blocks: the layout of a picture, whatever moves in it."""
    height, width = values.shape
    rows = np.add.reduceat(values, np.arange(blocks) * height // blocks, axis=0)
    return np.add.reduceat(rows, np.arange(blocks) * width // blocks, axis=1).ravel()


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Of two layouts, -1 to 1; 0 where one of them is flat."""
    a, b = a - a.mean(), b - b.mean()
    return float((a * b).sum() / max(float(np.sqrt((a * a).sum() * (b * b).sum())), 1e-9))
