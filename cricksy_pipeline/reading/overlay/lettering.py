"""Words and plain shapes on a picture: one font, smooth edges.

Belongs here: text with its width, lines broken and cut to fit, pills, bars. Does not belong here: what is written (`panel`, `timeline`).
All pictures are (h, w, 3) uint8 RGB and are drawn into; all coordinates are pixels, text stands on its base line.
"""

from __future__ import annotations

import numpy as np

from cricksy_pipeline.reading.overlay.style import RGB

REGULAR, BOLD = 400, 650
ELLIPSIS = "…"


def text_width(text: str, size: int, weight: int = REGULAR) -> int:
    """Pixels from the first to the last drawn column."""
    import cv2

    return int(cv2.getTextSize((0, 0), text, (0, 0), cv2.FontFace("sans"), size, weight)[2])


def write(image: np.ndarray, text: str, at: tuple[float, float], size: int, colour: RGB, weight: int = REGULAR, align: str = "left") -> int:
    """Draw one line of text; returns its width. `align`: whether `at` is its left end, its middle or its right end."""
    import cv2

    width = text_width(text, size, weight)
    left = at[0] - {"left": 0.0, "middle": width / 2, "right": width}[align]
    cv2.putText(image, text, (round(left), round(at[1])), colour, cv2.FontFace("sans"), size, weight)
    return width


def fitted(text: str, size: int, room: int, weight: int = REGULAR) -> str:
    """The text, cut with an ellipsis where it is wider than its room."""
    if text_width(text, size, weight) <= room:
        return text
    while text and text_width(text.rstrip() + ELLIPSIS, size, weight) > room:
        text = text[:-1]
    return text.rstrip() + ELLIPSIS


def broken(text: str, size: int, room: int, most: int, weight: int = REGULAR) -> list[str]:
    """The text in at most `most` lines, the last one cut where even that is too little."""
    lines: list[str] = []
    for word in text.split(" "):
        if lines and text_width(f"{lines[-1]} {word}", size, weight) <= room:
            lines[-1] += f" {word}"
        elif len(lines) < most:
            lines.append(word)
        else:
            lines[-1] += f" {word}"
    return [fitted(line, size, room, weight) for line in lines]


def pill(image: np.ndarray, left: float, top: float, width: float, height: float, colour: RGB, opacity: float = 1.0) -> None:
    """A filled bar with round ends."""
    import cv2

    x, y, right, bottom = (round(v) for v in (left, top, left + width, top + height))
    x, y, right, bottom = max(0, x), max(0, y), min(image.shape[1], right), min(image.shape[0], bottom)
    if right - x < 1 or bottom - y < 1:
        return
    mask = np.zeros((bottom - y, right - x), np.uint8)
    radius = min(mask.shape) / 2
    ends = ((radius - 0.5, radius - 0.5), (mask.shape[1] - radius - 0.5, mask.shape[0] - radius - 0.5))
    thick = max(1, round(2 * radius))
    points = [tuple(round(16 * v) for v in end) for end in ends]
    cv2.line(mask, points[0], points[1], 255, thick, cv2.LINE_AA, 4)
    _blend(image[y:bottom, x:right], mask, colour, opacity)


def disc(image: np.ndarray, centre: tuple[float, float], radius: float, colour: RGB, *, hollow: float = 0.0) -> None:
    """A dot; `hollow`: a ring of that line width instead."""
    import cv2

    at = (round(16 * centre[0]), round(16 * centre[1]))
    cv2.circle(image, at, round(16 * radius), colour, round(hollow) if hollow else -1, cv2.LINE_AA, 4)


def box(image: np.ndarray, left: float, top: float, width: float, height: float, colour: RGB) -> None:
    """A filled rectangle, at least a pixel either way."""
    x, y = round(left), round(top)
    image[max(0, y) : max(0, y + max(1, round(height))), max(0, x) : max(0, x + max(1, round(width)))] = colour


def _blend(part: np.ndarray, mask: np.ndarray, colour: RGB, opacity: float) -> None:
    share = (mask.astype(np.float32) * (opacity / 255.0))[..., None]
    part[:] = (part * (1 - share) + np.array(colour, np.float32) * share + 0.5).astype(np.uint8)
