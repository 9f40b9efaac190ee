"""The task of the child process: all overlay videos of one source in one go.

Belongs here: which pictures go into which film at what time. Does not belong here: the parent's side (`making`), drawing (`scene`).

The source is decoded once for the overlay and the first part of every clip, picture by picture, and once more for the stretch that a clip
repeats slowly; no more than a few pictures are ever in memory.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cricksy_pipeline.analysis.messages import Message
from cricksy_pipeline.analysis.pose_tasks import index_of
from cricksy_pipeline.analysis.task_loop import Say, Task
from cricksy_pipeline.analysis.video_frames import Picture, read_pictures
from cricksy_pipeline.analysis.video_index import FrameIndex
from cricksy_pipeline.reading.overlay.body import BodyTrack
from cricksy_pipeline.reading.overlay.bystanders import look_for_people
from cricksy_pipeline.reading.overlay.faces import Heads
from cricksy_pipeline.reading.overlay.film import Film
from cricksy_pipeline.reading.overlay.scene import Scene
from cricksy_pipeline.reading.overlay.script import Ball, Script
from cricksy_pipeline.reading.overlay.soundtrack import Soundtrack
from cricksy_pipeline.reading.overlay.style import STYLE, Layout, layout_of

SAY_S = 0.5
REST_PARTS = 5


def clip_window(script: Script, ball: Ball) -> tuple[float, float]:
    """From when to when a ball's clip shows the video: the ball with some room, which ends half way to another ball."""
    others = [other for other in script.balls if other is not ball]
    ends = [other.end_s for other in others if other.end_s <= ball.start_s]
    starts = [other.start_s for other in others if other.start_s >= ball.end_s]
    first = max(0.0, ball.start_s - STYLE.before_s, *((end + ball.start_s) / 2 for end in ends))
    last = min(script.duration_s, ball.end_s + STYLE.after_s, *((start + ball.end_s) / 2 for start in starts))
    return first, last


@dataclass
class _Source:
    """The video and how a picture of it becomes one of the film."""

    path: Path
    index: FrameIndex
    layout: Layout
    scene: Scene

    def drawn(self, picture: Picture, **how) -> np.ndarray:
        """The finished picture."""
        import cv2

        image = picture.image(self.layout.short_side)
        if self.layout.scale > 1:
            size = (self.layout.picture_width, self.layout.picture_height)
            image = cv2.resize(image, size, interpolation=cv2.INTER_CUBIC)
        return self.scene.picture(image, picture.t_s, **how)

    def length_of(self, frame: int) -> float:
        """Seconds for which a frame is shown."""
        t_s, info = self.index.t_s, self.index.info
        end = float(t_s[frame + 1]) if frame + 1 < len(t_s) else max(info.duration_s, float(t_s[-1]))
        return max(end - float(t_s[frame]), 1e-4)

    def film(self, path: Path, from_s: float = 0.0, until_s: float = np.inf) -> Film:
        """A new film, with the source's sound of that stretch."""
        return Film(path, self.layout, self.index.info.average_fps, Soundtrack.of(self.path, self.index, from_s, until_s))


class _Clip:
    """The clip of one ball while it is made."""

    def __init__(self, source: _Source, script: Script, ball: Ball, path: Path) -> None:
        self._source, self.ball = source, ball
        self.first_s, self.last_s = clip_window(script, ball)
        self._film = source.film(path, self.first_s, self.last_s)
        self._began_s: float | None = None
        self._now_s, self._held_s, self._last = 0.0, 0.0, None

    def show(self, picture: Picture, speed: float = 1.0) -> None:
        """One picture, at the time that follows from the first one shown at this speed."""
        drawn = self._source.drawn(picture, ball=self.ball, speed=speed)
        if self._began_s is None:
            self._began_s = picture.t_s
        at_s = self._held_s + (picture.t_s - self._began_s) / speed
        length_s = self._source.length_of(picture.frame) / speed
        self._film.show(drawn, at_s, length_s)
        self._now_s, self._last = at_s + length_s, drawn

    def finish(self) -> None:
        """The slow repeat, a moment of rest, and the file is whole."""
        with self._film as film:
            if self.ball.key_s is not None and self._last is not None:
                self._held_s, self._began_s = self._now_s, None
                t_s = self._source.index.t_s
                around = (t_s >= self.ball.key_s - STYLE.replay_before_s) & (t_s <= self.ball.key_s + STYLE.replay_after_s)
                for picture in read_pictures(self._source.path, self._source.index, np.flatnonzero(around)):
                    self.show(picture, STYLE.replay_speed)
            if self._last is not None:
                # More than once: some players end with the last picture's beginning.
                for part in range(REST_PARTS):
                    film.show(self._last, self._now_s + part * STYLE.hold_s / REST_PARTS, STYLE.hold_s / REST_PARTS)
            film.end(self._now_s + STYLE.hold_s)


def _render(request: Message, say: Say) -> Message:
    """The overlay and the clips into the folder `into`. The answer names the files and what they cost."""
    header, arrays = request.header, request.arrays
    index, script = index_of(request), Script.from_json(header["script"])
    body = BodyTrack(arrays["seen_t_s"], arrays["xy"], arrays["visibility"], arrays["shot"], STYLE.bridge_s)
    heads = _heads(request, index, body, say) if header["blur_faces"] else None
    layout = layout_of(index.info.width, index.info.height)
    source = _Source(Path(header["video"]), index, layout, Scene(layout, script, body, heads))
    into, clips, shown = Path(header["into"]), {}, 0
    with source.film(into / "overlay.mp4") as film:
        making: list[_Clip] = []
        waiting = list(script.balls)
        for picture in _told(read_pictures(source.path, index, np.arange(len(index))), say):
            film.show(source.drawn(picture), picture.t_s, source.length_of(picture.frame))
            shown += 1
            while waiting and clip_window(script, waiting[0])[0] <= picture.t_s:
                ball = waiting.pop(0)
                clips[str(ball.number)] = f"ball-{ball.number}.mp4"
                making.append(_Clip(source, script, ball, into / clips[str(ball.number)]))
            for clip in making:
                if clip.last_s >= picture.t_s:
                    clip.show(picture)
            making = _after_finished(making, picture.t_s)
        _after_finished(making, np.inf)
        film.end(index.info.duration_s)
    used = resource.getrusage(resource.RUSAGE_SELF)
    cost = {"cpu_s": used.ru_utime + used.ru_stime, "peak_bytes": used.ru_maxrss * 1024}
    return Message({"overlay": "overlay.mp4", "clips": clips, "pictures": shown, "width": layout.width, "height": layout.height, **cost})


def _heads(request: Message, index: FrameIndex, body: BodyTrack, say: Say) -> Heads:
    header = request.header
    people = look_for_people(Path(header["video"]), index, Path(header["model"]), lambda frame: say({"done": 0}))
    return Heads.of(body, header["people"], header["chosen"], people)


def _after_finished(making: list[_Clip], t_s: float) -> list[_Clip]:
    """The clips that go on after a moment; the others are finished."""
    for clip in making:
        if clip.last_s <= t_s:
            clip.finish()
    return [clip for clip in making if clip.last_s > t_s]


def _told(pictures: Iterator[Picture], say: Say) -> Iterator[Picture]:
    """The same pictures; how far they are is said twice a second."""
    said = 0.0
    for picture in pictures:
        yield picture
        if time.monotonic() - said >= SAY_S:
            said = time.monotonic()
            say({"done": picture.frame + 1})


TASKS: dict[str, Task] = {"render": _render}
