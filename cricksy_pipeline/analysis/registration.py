"""Laying one small grey picture over another: by which shift, how well, how sure.

Belongs here: a picture made ready for it (`Small`), the shift (`lay`), what changed between two pictures of one scene (`stirred`). Does not
belong here: what a shift means for shots and places (`camera_motion`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

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
        padded = np.pad(grey.astype(np.float32), 1, mode="edge")
        rows = (padded[:-2] + 2 * padded[1:-1] + padded[2:]) / 4
        self.values = (rows[:, :-2] + 2 * rows[:, 1:-1] + rows[:, 2:]) / 4
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
    for _ in range(steps):
        whole = np.floor(shift).astype(int)
        if abs(whole[0]) >= width - 8 or abs(whole[1]) >= height - 8:
            return None
        y0, y1 = max(0, -whole[1]), min(height, height - whole[1] - 1)
        x0, x1 = max(0, -whole[0]), min(width, width - whole[0] - 1)
        fx, fy = shift - whole
        at = over.values[y0 + whole[1] : y1 + whole[1] + 1, x0 + whole[0] : x1 + whole[0] + 1]
        here = (1 - fy) * ((1 - fx) * at[:-1, :-1] + fx * at[:-1, 1:]) + fy * ((1 - fx) * at[1:, :-1] + fx * at[1:, 1:])
        weight = under.seen[y0:y1, x0:x1] * over.seen[y0 + whole[1] : y1 + whole[1], x0 + whole[0] : x1 + whole[0]]
        area = float(weight.sum()) / weight.size * (weight.size / (height * width))
        if area < settings.least_area:
            return None
        there = under.values[y0:y1, x0:x1]
        a, b = _centred(here, weight), _centred(there, weight)
        spread_a, spread_b = (float(np.sqrt((weight * v * v).sum() / weight.sum())) for v in (a, b))
        if min(spread_a, spread_b) < settings.least_contrast:
            return None
        alike = float((weight * a * b).sum() / weight.sum()) / (spread_a * spread_b)
        rest = a * (spread_b / spread_a) - b
        some = rest[::3, ::3][weight[::3, ::3] > 0]  # enough for a median
        offset = float(np.median(some)) if some.size else 0.0  # the mean is drawn by what moves by itself, the median hardly
        rest = rest - offset
        typical = 1.4826 * float(np.median(np.abs(some - offset))) + 1e-3 if some.size else 1e-3
        robust = weight / (1 + (rest / (2 * typical)) ** 2) ** 2  # Geman and McClure 1985
        gx, gy = under.slopes[0][y0:y1, x0:x1], under.slopes[1][y0:y1, x0:x1]
        normal = np.array([[(robust * gx * gx).sum(), (robust * gx * gy).sum()], [(robust * gx * gy).sum(), (robust * gy * gy).sum()]])
        least = float(np.linalg.eigvalsh(normal)[0])
        if least <= 0:
            return None
        error = typical / np.sqrt(least)
        if error > settings.unsure_px:
            return None
        move = -np.linalg.solve(normal, np.array([(robust * gx * rest).sum(), (robust * gy * rest).sum()]))
        move = np.clip(move, -2, 2)
        shift = shift + move
        if np.abs(move).max() < 0.02:
            return Laid(shift, alike, error, area)
    return None


def _centred(values: np.ndarray, weight: np.ndarray) -> np.ndarray:
    return values - float((values * weight).sum() / weight.sum())


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
