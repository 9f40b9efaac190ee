"""Scenes in which the player is not alone or not always seen, and pictures in which no cricketer is to be judged; as data.

Belongs here: what is put into the picture. Does not belong here: who plays and how he is filmed (`conditions`).
"""

from __future__ import annotations

from typing import Any

from cricksy_pipeline.sample.camera import Movement
from cricksy_pipeline.sample.people import Bystander, Occluder, crowd

_STANDS = Bystander("stands", (2.2, -1.6))
_UMPIRE = Bystander("umpire", (-2.0, -1.2), seed=4)
_ACROSS = Bystander("walks_across", (0.3, -1.8), when_s=1.0, seed=5)
_IN_FRONT = Bystander("walks_in_front", (0.4, 2.5), when_s=0.9, seed=6)

SCENES: list[tuple[str, str, str, dict[str, Any]]] = [
    ("a bystander", "drive", "side", {"people": (_STANDS,)}),
    ("a bystander", "bowl", "side", {"people": (_STANDS,)}),
    ("a bystander", "keep", "front", {"people": (Bystander("stands", (-1.2, -1.5)),)}),
    ("an umpire", "bowl", "behind", {"people": (_UMPIRE,)}),
    ("somebody walks by behind", "drive", "side", {"people": (_ACROSS,)}),
    ("somebody walks through in front", "drive", "side", {"people": (_IN_FRONT,)}),
    ("a crowd", "drive", "side", {"people": crowd(6, 3)}),
    ("a crowd", "throw", "side", {"people": crowd(6, 4)}),
    ("a net post in front", "drive", "side", {"occluder": Occluder("post", 0.44, 0.03)}),
    ("the screen's edge", "drive", "front", {"occluder": Occluder("screen", 0.36, side="left")}),
    ("empty at first", "drive", "side", {"empty_s": 0.5}),
    ("a cut before", "bowl", "behind", {"cut_s": 0.4}),
    ("a pan", "drive", "side", {"movement": Movement(pan_m=0.6)}),
    ("a pan", "bowl", "side", {"movement": Movement(pan_m=0.6)}),
    ("a hand-held phone", "bowl", "side", {"movement": Movement(shake_px=3.0)}),
    ("a hand-held phone", "drive", "front", {"movement": Movement(shake_px=3.0)}),
    ("with sound", "drive", "side", {"sound": True}),
    ("with sound", "drive", "front", {"sound": True}),
    ("four times slower, said by the file", "drive", "side", {"slow_motion": 4.0, "capture_tag": True, "fps": 30}),
    ("four times slower, said by nobody", "bowl", "side", {"slow_motion": 4.0, "fps": 30}),
    ("24 pictures a second", "drive", "side", {"fps": 24}),
    ("10 % of the height", "drive", "side", {"share": 0.10, "width": 1280, "height": 720}),
    ("12 % of the height", "bowl", "front", {"share": 0.12, "width": 1280, "height": 720}),
]
"""(name, motion, view, what `ClipSpec` is given beside the player's own choices)."""

STRANGERS: list[tuple[str, str, str, dict[str, Any]]] = [
    *[("nobody", motion, "side", {"player": False}) for motion in ("drive", "bowl", "keep", "throw")],
    *[("two gloved hands", motion, "front", {"figure": "hands"}) for motion in ("drive", "keep")],
    *[("a drawn figure", motion, "side", {"figure": "drawn"}) for motion in ("drive", "bowl", "throw")],
    *[("a game's figure", motion, "side", {"figure": "game"}) for motion in ("drive", "bowl", "catch")],
    *[("a crowd alone", motion, "side", {"player": False, "people": crowd(7, 8)}) for motion in ("drive", "bowl", "keep", "throw")],
    *[("a passer-by alone", motion, "side", {"player": False, "people": (_ACROSS,)}) for motion in ("drive", "bowl")],
]
"""(name, motion whose mode the analysis is told, view, what `ClipSpec` is given): nothing in these is a cricketer's technique."""
