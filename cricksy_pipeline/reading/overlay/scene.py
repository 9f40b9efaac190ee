"""One finished picture of the video from one picture of the source.

Belongs here: what is shown at a moment, put together from picture, player, panel and time line. Does not belong here: decoding, encoding
(`film`), which moments there are (`tasks`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cricksy_pipeline.reading.overlay.body import BodyTrack
from cricksy_pipeline.reading.overlay.faces import Heads, blur
from cricksy_pipeline.reading.overlay.figure import draw_player
from cricksy_pipeline.reading.overlay.lettering import BOLD, disc, pill, text_width, write
from cricksy_pipeline.reading.overlay.panel import PanelState, draw_clock, draw_panel
from cricksy_pipeline.reading.overlay.script import Ball, Mark, Script
from cricksy_pipeline.reading.overlay.style import PALETTE, STYLE, Layout
from cricksy_pipeline.reading.overlay.timeline import draw_timeline

NAME, TIME = 18, 15
CHIP_HEIGHT, CHIP_GAP, CHIP_LEFT = 34, 6, 14


class Scene:
    """Draws the pictures of one video, in any order.

    Args:
        heads: where faces are blurred; None: they are not.
    """

    def __init__(self, layout: Layout, script: Script, body: BodyTrack, heads: Heads | None) -> None:
        self._layout, self._script, self._body, self._heads = layout, script, body, heads
        self._panel = np.zeros((layout.height, STYLE.panel, 3), np.uint8)
        self._drawn: PanelState | None = None

    def picture(self, image: np.ndarray, t_s: float, *, ball: Ball | None = None, speed: float = 1.0) -> np.ndarray:
        """(height, width, 3) uint8 RGB, new.

        Args:
            image: the upright source at the layout's size, (h, w, 3) uint8 RGB; it may be a pixel larger, and is drawn over.
            t_s: presentation time of the source's picture.
            ball: the only one that counts, in its own clip; None: whichever is under way.
            speed: at which this stretch is shown.
        """
        layout = self._layout
        shown = np.ascontiguousarray(image[: layout.picture_height, : layout.picture_width])
        if self._heads is not None:
            blur(shown, self._heads.at(t_s), layout.scale)
        body, state = self._body.at(t_s), self._state(t_s, ball)
        if body is not None:
            draw_player(shown, body, layout.scale, lit=bool(state.lit) and state.under_way)
        self._chips(shown, state, t_s, speed)
        whole = np.empty((layout.height, layout.width, 3), np.uint8)
        whole[:, : layout.picture_width] = PALETTE.ground
        whole[layout.top : layout.top + layout.picture_height, : layout.picture_width] = shown
        draw_timeline(whole[layout.foot_top :, : layout.picture_width], self._script, state.ball if state.under_way else None, t_s)
        whole[:, layout.picture_width :] = self._paneled(state)
        draw_clock(whole[:, layout.picture_width :], t_s, speed)
        return whole

    def _paneled(self, state: PanelState) -> np.ndarray:
        """The panel, drawn anew only where it says something else."""
        if state != self._drawn:
            draw_panel(self._panel, state)
            self._drawn = state
        return self._panel

    def _state(self, t_s: float, only: Ball | None) -> PanelState:
        balls: Sequence[Ball] = self._script.balls if only is None else (only,)
        begun = [ball for ball in balls if ball.start_s <= t_s]
        ball = only or (begun[-1] if begun else None)
        common = {"of": len(self._script.balls), "seen": self._body.at(t_s) is not None, "blurred": self._heads is not None}
        if ball is None:
            return PanelState(ball=None, under_way=False, moment=None, passed=0, lit=(), **common)
        read = [moment for moment in ball.moments if moment.t_s <= t_s]
        lit = tuple(i for i, mark in enumerate(ball.marks) if abs(t_s - mark.t_s) <= mark.half_s)
        passed = sum(t_s >= mark.t_s - mark.half_s for mark in ball.marks)
        under_way = only is not None or t_s <= ball.end_s
        return PanelState(ball=ball, under_way=under_way, moment=read[-1] if read else None, passed=passed, lit=lit, **common)

    def _chips(self, image: np.ndarray, state: PanelState, t_s: float, speed: float) -> None:
        """The names of the events that are now or just were, over the picture's upper left corner; and that it runs slowly."""
        y = CHIP_LEFT
        if speed != 1.0:
            y = _chip(image, y, "half speed" if speed == 0.5 else f"{speed:g}× speed", "", None) + CHIP_GAP
        for mark in state.ball.marks if state.ball and state.under_way else ():
            if mark.t_s - mark.half_s <= t_s <= mark.t_s + mark.half_s + STYLE.lit_s:
                y = _chip(image, y, mark.name, mark.told, _is_now(mark, t_s)) + CHIP_GAP


def _is_now(mark: Mark, t_s: float) -> bool:
    return abs(t_s - mark.t_s) <= mark.half_s


def _chip(image: np.ndarray, y: int, name: str, told: str, now: bool | None) -> int:
    """A dark pill with a name; a dot that is full while the event may be now. Returns its lower end."""
    dot = 0 if now is None else 20
    width = 30 + dot + text_width(name, NAME, BOLD) + (10 + text_width(told, TIME) if told else 0)
    if width + 2 * CHIP_LEFT > image.shape[1]:  # a very narrow picture: the panel says it, too
        told, width = "", 30 + dot + text_width(name, NAME, BOLD)
    pill(image, CHIP_LEFT, y, width, CHIP_HEIGHT, PALETTE.ground, 0.82)
    x = CHIP_LEFT + 15
    if now is not None:
        disc(image, (x + 4, y + CHIP_HEIGHT / 2), 5, PALETTE.mark if now else PALETTE.quiet, hollow=0 if now else 1)
    colour = PALETTE.mark if now or now is None else PALETTE.ink
    x += dot + write(image, name, (x + dot, y + 23), NAME, colour, BOLD)
    if told:
        write(image, told, (x + 10, y + 22), TIME, PALETTE.ink if now else PALETTE.quiet)
    return y + CHIP_HEIGHT
