"""Which way is sideways and ahead for this player: signs that turn the picture's right into the off side, away from the arm, ahead.

Belongs here: those signs, for one ball, from what `analysis.sides` and the view say. Does not belong here: how they are told.
"""

from __future__ import annotations

from cricksy_pipeline.analysis import sides
from cricksy_pipeline.analysis.metrics.ball import Ball


def off_side(ball: Ball) -> int | None:
    """+1 when a batter's off side lies to the right of the picture; None side-on, where it lies along the line of sight."""
    contact = ball.event("contact")
    told = None if contact is None else sides.off_side(ball.track, contact.t_s, ball.height_px)
    return None if told is None else told[0]


def away_from_arm(ball: Ball) -> int | None:
    """+1 when the side away from the bowling arm lies to the right of the picture; None side-on."""
    release, arm = ball.event("release"), ball.found.arm
    told = None if release is None or arm is None else sides.away_from_arm(ball.track, release.t_s, arm, ball.height_px)
    return None if told is None else told[0]


def facing(ball: Ball) -> int | None:
    """+1 when the player looks to the right of the picture, -1 to the left; None along the line of sight or where it could not be told."""
    return ball.found.toward or ball.view.facing or None
