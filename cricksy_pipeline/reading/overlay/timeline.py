"""The line under the picture: where in the ball, or in the video, this moment is.

Belongs here: drawing it. Does not belong here: which ball it is (`scene`). An event is drawn as wide as its time is uncertain.
"""

from __future__ import annotations

import numpy as np

from cricksy_pipeline.reading.notation import clock
from cricksy_pipeline.reading.overlay.lettering import BOLD, box, disc, pill, text_width, write
from cricksy_pipeline.reading.overlay.script import Ball, Mark, Script
from cricksy_pipeline.reading.overlay.style import PALETTE

SIDE, LINE_Y, NAMES_Y, ROW = 18, 17, 40, 17
SIZE = 14
ROWS = 2


def draw_timeline(foot: np.ndarray, script: Script, ball: Ball | None, t_s: float) -> None:
    """Draw the line into the strip under the picture, (h, w, 3) uint8 RGB.

    Args:
        ball: the one that is under way; None between balls, when the whole video is shown.
    """
    foot[:] = PALETTE.ground
    if ball is None:
        _whole(foot, script, t_s)
    else:
        _one(foot, ball, t_s)


def _one(foot: np.ndarray, ball: Ball, t_s: float) -> None:
    start, length = ball.start_s, max(ball.end_s - ball.start_s, 1e-6)
    room = foot.shape[1] - 2 * SIDE

    def at(moment_s: float) -> float:
        return SIDE + room * float(np.clip((moment_s - start) / length, 0, 1))

    _track(foot, SIDE, SIDE + room)
    for mark in ball.marks:
        left, right = at(mark.t_s - mark.half_s), at(mark.t_s + mark.half_s)
        lit = abs(t_s - mark.t_s) <= mark.half_s
        pill(foot, left - 1.5, LINE_Y - 4, right - left + 3, 8, PALETTE.mark if lit else PALETTE.field, 1.0 if lit else 0.55)
    for mark in ball.marks:
        box(foot, at(mark.t_s) - 1, LINE_Y - 7, 2, 14, PALETTE.ink)
    for mark, x, row in _placed(ball.marks, at, room):
        past = t_s >= mark.t_s - mark.half_s
        write(foot, mark.name, (x, NAMES_Y + row * ROW), SIZE, PALETTE.ink if past else PALETTE.quiet, BOLD if past else 400)
    _head(foot, at(t_s))


def _placed(marks: tuple[Mark, ...], at, room: int) -> list[tuple[Mark, float, int]]:
    """(mark, left end of its name, row): names stand under their ticks where there is room, none over another."""
    ends, placed = [-1e9] * ROWS, []
    for mark in marks:
        width = text_width(mark.name, SIZE, BOLD)
        x = float(np.clip(at(mark.t_s) - width / 2, SIDE, max(SIDE, SIDE + room - width)))
        row = next((row for row in range(ROWS) if ends[row] + 10 <= x), None)
        if row is None:
            row = int(np.argmin(ends))
            x = ends[row] + 10
            if x + width > SIDE + room:  # the panel names it
                continue
        ends[row] = x + width
        placed.append((mark, x, row))
    return placed


def _whole(foot: np.ndarray, script: Script, t_s: float) -> None:
    room, length = foot.shape[1] - 2 * SIDE, max(script.duration_s, 1e-6)

    def at(moment_s: float) -> float:
        return SIDE + room * float(np.clip(moment_s / length, 0, 1))

    _track(foot, SIDE, SIDE + room)
    end = -1e9
    for ball in script.balls:
        left, right = at(ball.start_s), at(ball.end_s)
        pill(foot, left, LINE_Y - 4, max(right - left, 8), 8, PALETTE.field, 0.75)
        name = f"ball {ball.number}"
        width = text_width(name, SIZE)
        x = float(np.clip((left + right - width) / 2, SIDE, SIDE + room - width))
        if x >= end + 10 and width <= room:
            write(foot, name, (x, NAMES_Y), SIZE, PALETTE.quiet)
            end = x + width
    if not script.balls:
        write(foot, f"no ball was found in {clock(script.duration_s)}", (SIDE, NAMES_Y), SIZE, PALETTE.quiet)
    _head(foot, at(t_s))


def _track(foot: np.ndarray, left: float, right: float) -> None:
    pill(foot, left, LINE_Y - 1.5, right - left, 3, PALETTE.line)


def _head(foot: np.ndarray, x: float) -> None:
    disc(foot, (x, LINE_Y), 7, PALETTE.ground)
    disc(foot, (x, LINE_Y), 5, PALETTE.ink)
