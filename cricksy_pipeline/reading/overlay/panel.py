"""The panel beside the picture: which ball, what was measured at this moment, how sure it is, which events.

Belongs here: drawing it. Does not belong here: which ball and which moment (`scene`), wording of numbers (`script`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cricksy_pipeline.reading.drawing.pictures import LEFT_RGB, RIGHT_RGB
from cricksy_pipeline.reading.notation import clock
from cricksy_pipeline.reading.overlay.lettering import BOLD, box, broken, disc, fitted, pill, text_width, write
from cricksy_pipeline.reading.overlay.script import Ball, Moment, Reading
from cricksy_pipeline.reading.overlay.style import PALETTE

SIDE = 22
LABEL, BIG, MIDDLE, SMALL, TIME = 17, 44, 22, 14, 13
SMALLEST = 3
"""Beside the first, so many readings of a moment are shown at most."""
FOOT = 84
MARK_ROW = 24


@dataclass(frozen=True)
class PanelState:
    """What the panel shows; two equal ones look alike but for the clock.

    Attributes:
        ball: the one under way, or the last one.
        of: balls in all.
        under_way: whether the ball is under way.
        moment: the last moment of it at which something was read; None before the first.
        passed: so many of its events have begun.
        lit: numbers of the events that may be just now.
        seen: whether the player is seen in this picture.
        blurred: whether faces are blurred.
    """

    ball: Ball | None
    of: int
    under_way: bool
    moment: Moment | None
    passed: int
    lit: tuple[int, ...]
    seen: bool
    blurred: bool


def draw_panel(panel: np.ndarray, state: PanelState) -> None:
    """Draw everything but the clock into the panel, (h, w, 3) uint8 RGB."""
    panel[:] = PALETTE.raised
    room = panel.shape[1] - 2 * SIDE
    top = _head(panel, state, room)
    marks_height = 34 + MARK_ROW * len(state.ball.marks) if state.ball and state.ball.marks else 0
    below = panel.shape[0] - FOOT
    # The readings come first; where there is no room for both, the time line alone names the events.
    shows_marks = marks_height and below - marks_height - top >= 150
    if state.moment is not None:
        _moment(panel, state.moment, top, below - (marks_height if shows_marks else 0), room)
    elif state.ball is not None:
        told = "Nothing is measured yet in this ball." if state.ball.moments else "Nothing could be measured in this ball."
        _lines(panel, broken(told, LABEL, room, 3), top + 24, LABEL, PALETTE.quiet)
    if shows_marks:
        _marks(panel, state, below - marks_height, room)
    _foot(panel, state, below)


def draw_clock(panel: np.ndarray, t_s: float, speed: float) -> None:
    """Draw the time of the moment, and the speed where it is not the real one."""
    write(panel, clock(t_s), (panel.shape[1] - SIDE, 40), 20, PALETTE.quiet, align="right")
    if speed != 1.0:
        write(panel, f"{speed:g}× speed", (panel.shape[1] - SIDE, 64), SMALL, PALETTE.mark, BOLD, align="right")


def _head(panel: np.ndarray, state: PanelState, room: int) -> int:
    if state.ball is None:
        title, under = ("Before ball 1", f"of {state.of}") if state.of else ("No ball found", "")
        write(panel, fitted(title, MIDDLE, room - 84, BOLD), (SIDE, 41), MIDDLE, PALETTE.ink, BOLD)
    else:
        write(panel, f"Ball {state.ball.number}", (SIDE, 43), 30, PALETTE.ink, BOLD)
        under = f"of {state.of}" + ("" if state.under_way else ", over")
    write(panel, under, (SIDE, 66), SMALL + 1, PALETTE.quiet)
    box(panel, SIDE, 84, room, 1, PALETTE.line)
    return 84


def _moment(panel: np.ndarray, moment: Moment, top: int, bottom: int, room: int) -> None:
    write(panel, moment.heading, (SIDE, top + 28), SMALL + 1, PALETTE.field, BOLD)
    first, *rest = moment.readings
    y = _first(panel, first, top + 52, room)
    for reading in rest[:SMALLEST]:
        if y + 62 > bottom:
            return
        y = _further(panel, reading, y, room)


def _first(panel: np.ndarray, reading: Reading, y: int, room: int) -> int:
    y = _lines(panel, broken(reading.label, LABEL, room, 2, BOLD), y, LABEL, PALETTE.ink, BOLD) + 48
    width = write(panel, reading.figure, (SIDE, y), BIG, PALETTE.ink, BOLD)
    size = BIG if reading.unit == "°" else LABEL
    write(panel, fitted(reading.unit, size, room - width), (SIDE + width + 2, y), size, PALETTE.ink, BOLD if reading.unit == "°" else 400)
    y += 26
    for line in filter(None, (reading.interval, reading.category)):
        write(panel, fitted(line, SMALL + 1, room), (SIDE, y), SMALL + 1, PALETTE.ink)
        y += 22
    y -= 22 if reading.interval or reading.category else 0
    if reading.sound:
        _bar(panel, reading, y + 20, room)
        write(panel, fitted(f"sound range {reading.sound}", SMALL, room), (SIDE, y + 48), SMALL, PALETTE.field)
        y += 48
    return y + 22


def _further(panel: np.ndarray, reading: Reading, y: int, room: int) -> int:
    box(panel, SIDE, y - 8, room, 1, PALETTE.line)
    write(panel, fitted(reading.label, SMALL + 1, room), (SIDE, y + 14), SMALL + 1, PALETTE.quiet)
    degrees = reading.unit if reading.unit == "°" else ""
    width = write(panel, f"{reading.figure}{degrees}", (SIDE, y + 38), MIDDLE - 3, PALETTE.ink, BOLD)
    if not degrees:
        width += write(panel, fitted(reading.unit, SMALL, room - width), (SIDE + width, y + 38), SMALL, PALETTE.ink)
    told = reading.interval or reading.category
    if width + 10 + text_width(told, SMALL) <= room:
        write(panel, told, (SIDE + room, y + 38), SMALL, PALETTE.quiet, align="right")
    return y + 58


def _bar(panel: np.ndarray, reading: Reading, y: float, room: int) -> None:
    """The sound range as a band, the interval as a line, the value as a dot, on one axis."""
    low, high = reading.band
    interval = [v for v in (reading.low, reading.high, reading.value) if v is not None]
    known = [v for v in (low, high, *interval) if v is not None]
    span = max(max(known) - min(known), 1e-9)
    left, right = min(known) - 0.12 * span, max(known) + 0.12 * span

    def at(value: float) -> float:
        return SIDE + room * float(np.clip((value - left) / (right - left), 0, 1))

    pill(panel, SIDE, y - 3, room, 6, PALETTE.line)
    band_left, band_right = (at(left if low is None else low), at(right if high is None else high))
    pill(panel, band_left, y - 3, band_right - band_left, 6, PALETTE.field, 0.75)
    pill(panel, at(min(interval)), y - 1, at(max(interval)) - at(min(interval)), 2, PALETTE.ink)
    disc(panel, (at(reading.value), y), 7, PALETTE.raised)
    disc(panel, (at(reading.value), y), 5, PALETTE.ink)


def _marks(panel: np.ndarray, state: PanelState, y: int, room: int) -> None:
    box(panel, SIDE, y + 6, room, 1, PALETTE.line)
    y += 34
    for i, mark in enumerate(state.ball.marks):
        begun, lit = i < state.passed, i in state.lit
        colour = PALETTE.mark if lit else PALETTE.ink if begun else PALETTE.quiet
        disc(panel, (SIDE + 5, y - 5), 4, PALETTE.mark if lit else PALETTE.field, hollow=0 if begun else 1)
        told = text_width(mark.told, TIME)
        write(panel, fitted(mark.name, SMALL, room - 18 - told - 6), (SIDE + 18, y), SMALL, colour)
        write(panel, mark.told, (SIDE + room, y), TIME, colour if begun else PALETTE.quiet, align="right")
        y += MARK_ROW


def _foot(panel: np.ndarray, state: PanelState, y: int) -> None:
    box(panel, SIDE, y + 6, panel.shape[1] - 2 * SIDE, 1, PALETTE.line)
    y += 32
    x = SIDE + 5
    for colour, name in ((LEFT_RGB, "left"), (RIGHT_RGB, "right")):
        disc(panel, (x, y - 5), 5, colour)
        x += 12 + write(panel, name, (x + 11, y), SMALL, PALETTE.quiet) + 20
    disc(panel, (x, y - 5), 5, PALETTE.quiet, hollow=1)
    write(panel, "unsure", (x + 11, y), SMALL, PALETTE.quiet)
    said = [*([] if state.seen else ["the player is not seen"]), *(["faces are blurred"] if state.blurred else [])]
    told = ", ".join(said) or "± and ranges: 95 % intervals"
    write(panel, fitted(told, SMALL, panel.shape[1] - 2 * SIDE), (SIDE, y + 26), SMALL, PALETTE.quiet if state.seen else PALETTE.willow)


def _lines(panel: np.ndarray, lines: list[str], y: int, size: int, colour: tuple[int, int, int], weight: int = 400) -> int:
    """Lines from base line `y` on; returns the base line of the last."""
    for i, line in enumerate(lines):
        write(panel, line, (SIDE, y + i * round(1.3 * size)), size, colour, weight)
    return y + (len(lines) - 1) * round(1.3 * size)
