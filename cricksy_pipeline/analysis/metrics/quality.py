"""How good the pictures were for measuring, and what to film otherwise.

Belongs here: the gates of cricket-metrics 3.6 that concern the whole recording, each with its limit and the code of the line that says how
to film. Does not belong here: the gates of one metric (`view_gate`, `readings`), the words of the lines (coaching.toml).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cricksy_pipeline.analysis.events import FoundDelivery


@dataclass(frozen=True)
class QualityLimits:
    """cricket-metrics 3.6, where nothing else is said; none of them is calibrated against coaches' judgement.

    Attributes:
        window_coverage: least share of the pictures around the deliveries in which the player was found.
        height_px: least height of the player in the pictures. arms_height_px: least for what is read from arms and hands.
        swap_share: largest share of pictures in which left and right had to be exchanged.
        bone_variation: largest wavering of a bone's length.
        camera_moved: largest movement of the background, body heights a picture, where it is not known well enough to be taken out.
        outside_share: largest share of feet, knees, hips, shoulders and hands that lay outside the picture. House default.
    """

    window_coverage: float = 0.90
    height_px: float = 150.0
    arms_height_px: float = 300.0
    swap_share: float = 0.05
    bone_variation: float = 0.10
    camera_moved: float = 0.02
    outside_share: float = 0.02


LIMITS = QualityLimits()

HOW_TO_FILM = {
    "COVERAGE": "KEEP_HIM_IN_VIEW",
    "SMALL": "COME_CLOSER",
    "SMALL_FOR_ARMS": "COME_CLOSER",
    "SWAPS": "STAND_SQUARE",
    "BONES": "MORE_LIGHT_AND_RATE",
    "CAMERA": "TRIPOD",
    "OUTSIDE": "A_METRE_OF_ROOM",
}
"""Code of a problem -> code of the line that says how to film."""


@dataclass(frozen=True)
class Problem:
    """A gate that was not passed.

    Attributes:
        code: which. value, limit: what was measured and what it may be, in the unit of the `Quality` field.
        how_to_film: code of the line that says what to do about it.
    """

    code: str
    value: float
    limit: float

    @property
    def how_to_film(self) -> str:
        """See HOW_TO_FILM."""
        return HOW_TO_FILM[self.code]


@dataclass(frozen=True)
class Quality:
    """What the pictures around the deliveries were like; None where there was none, or it could not be told.

    Attributes:
        window_coverage: share of those pictures in which the player was found.
        height_px: the player's height. frame_share: the same as a share of the picture's height.
        swap_share: share of the pictures in which left and right had to be exchanged.
        bone_variation: how much the bones' lengths waver from picture to picture, the worst track.
        camera_moved: body heights a picture, the worst track.
        stabilised: whether the camera's movement is known all along, so that it was taken out.
        outside_share: share of the landmarks that lay outside the picture.
        problems: the gates that were not passed, the gravest for the measurement first.
    """

    window_coverage: float | None = None
    height_px: float | None = None
    frame_share: float | None = None
    swap_share: float | None = None
    bone_variation: float | None = None
    camera_moved: float | None = None
    stabilised: bool = True
    outside_share: float | None = None
    problems: tuple[Problem, ...] = ()


def quality_of(deliveries: list[FoundDelivery], picture_height: int, limits: QualityLimits = LIMITS) -> Quality:
    """The quality of the pictures around the given deliveries (excluded ones too: what spoiled them is to be said)."""
    if not deliveries:
        return Quality()
    windows = [_window(found) for found in deliveries]
    frames = max(1, sum(len(inside) for inside in windows))
    seen = sum(int(inside.sum()) for inside in windows)
    tracks = list({id(found.track): found.track for found in deliveries}.values())
    size = float(np.median([found.height_px for found in deliveries]))
    pictures = sum(len(track.frame_t_s) for track in tracks)
    wobble = [track.bone_variation for track in tracks if track.bone_variation is not None]
    measured = Quality(
        window_coverage=seen / frames,
        height_px=size,
        frame_share=size / picture_height,
        swap_share=sum(track.swap_share * len(track.frame_t_s) for track in tracks) / pictures,
        bone_variation=max(wobble) if wobble else None,
        camera_moved=max((track.camera_moved for track in tracks if np.isfinite(track.camera_moved)), default=None),
        stabilised=all(np.isfinite(track.camera).all() for track in tracks),
        outside_share=sum(track.outside for track in tracks) / (33 * pictures),
    )
    return Quality(**{**vars(measured), "problems": _problems(measured, limits)})


def _problems(measured: Quality, limits: QualityLimits) -> tuple[Problem, ...]:
    too_small = [("COVERAGE", measured.window_coverage, limits.window_coverage), ("SMALL", measured.height_px, limits.height_px)]
    if measured.height_px is not None and measured.height_px >= limits.height_px:
        too_small.append(("SMALL_FOR_ARMS", measured.height_px, limits.arms_height_px))
    too_large = [
        ("OUTSIDE", measured.outside_share, limits.outside_share),
        ("BONES", measured.bone_variation, limits.bone_variation),
        ("SWAPS", measured.swap_share, limits.swap_share),
        ("CAMERA", None if measured.stabilised else measured.camera_moved, limits.camera_moved),
    ]
    found = [Problem(code, value, limit) for code, value, limit in too_small if value is not None and value < limit]
    found += [Problem(code, value, limit) for code, value, limit in too_large if value is not None and value > limit]
    return tuple(sorted(found, key=lambda problem: list(HOW_TO_FILM).index(problem.code)))


def _window(found: FoundDelivery) -> np.ndarray:
    """Of each frame of the delivery's stretch, whether the player was found."""
    track = found.track
    inside = (track.frame_t_s >= found.start_s - 1e-9) & (track.frame_t_s <= found.end_s + 1e-9)
    return track.frame_found[inside]
