"""Pictures of a pass: the chosen player with skeleton and ring, each metric over time, stills of each ball.

Belongs here: which frame is shown. Does not belong here: how it is drawn (`reading.drawing.pictures`, `reading.drawing.plots`,
`moments_strip`).
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from cricksy_pipeline.analysis.documents import AnalysisResults, as_json
from cricksy_pipeline.analysis.following import Trail
from cricksy_pipeline.analysis.landmarks import Landmarks
from cricksy_pipeline.analysis.passes import Footage, Look, Work
from cricksy_pipeline.analysis.pose import read_first_still, read_stills
from cricksy_pipeline.analysis.subject import SeenPerson, Subject
from cricksy_pipeline.orchestration.looking import Seen
from cricksy_pipeline.orchestration.moments_strip import PlannedStrip, moments_strip, planned_strip
from cricksy_pipeline.orchestration.stage import Stage
from cricksy_pipeline.orchestration.work import stored_output
from cricksy_pipeline.store.keys import Output
from cricksy_pipeline.store.objects import ObjectStore

MOST_SHORT_SIDE = 2160
MARGIN = 0.5
"""Room around the player in the picture, in body heights."""
ALONE_SIDE, CROWDED_SIDE = 640, 960
"""Longer side of the player's picture, pixels; larger where others are in it."""
AROUND_S = 8.0
"""Somebody seen before and after within so long is shown in between, where he must have been."""
KEY_EVENTS = ("contact", "release", "take")
PICTURES = {
    "quick": (Output.QUICK_PLAYER_IMAGE, Output.QUICK_METRICS_IMAGE),
    "deep": (Output.PLAYER_IMAGE, Output.METRICS_IMAGE),
}
"""By pass, the picture of the player and that of the metrics."""


def illustrate(now: Stage, objects: ObjectStore, work: Work, seen: Seen, document: AnalysisResults) -> dict[Output, bytes]:
    """PNG pictures of a pass by output name. Without anybody in the video the player's picture is its first frame, unmarked.

    Where nothing was decoded, the player is shown as the attempt that looked did show him: the landmarks are the same.
    """
    player, metrics = PICTURES[document.meta.pass_name]
    # Stills are what is waited for longest: they are asked for first, and the plots are drawn while other processes read them.
    strip = planned_strip(seen.look, document) if document.meta.pass_name == "deep" else None
    with ThreadPoolExecutor(2, thread_name_prefix="stills") as beside:
        waited_for = {player: beside.submit(_shown, now, objects, work, seen, document, player)}
        if strip is not None:
            waited_for[Output.DEEP_MOMENTS_IMAGE] = beside.submit(_strip, now, objects, work, seen, strip)
        drawn = {metrics: _metrics(now, objects, seen, document, metrics)}
        return drawn | {output: picture.result() for output, picture in waited_for.items()}


def shown_frame(look: Look, document: AnalysisResults) -> int | None:
    """The frame number of the player's picture: the first contact, release or take, else where he is seen best; None where he never is."""
    marks = look.landmarks
    if not marks.found.any():
        return None
    for delivery in document.metrics.deliveries:
        for event in delivery.events:
            if event.name in KEY_EVENTS:
                return _nearest_found(marks, event.t_s)
    seen = np.where(marks.found, marks.visibility.mean(axis=1), -1.0)
    return int(marks.frame[int(np.argmax(seen))])


def _metrics(now: Stage, objects: ObjectStore, seen: Seen, document: AnalysisResults, output: Output) -> bytes:
    """The metrics over time; where nothing was decoded, the stored picture if it still shows the same: drawing it is most of the work."""
    from cricksy_pipeline.reading.drawing.plots import metrics_png

    earlier = now.row.quick_results if document.meta.pass_name == "quick" else now.row.deep_results
    stored = (now.row.stored_objects or {}).get(str(output))
    if not seen.footage and stored and earlier and earlier.get("metrics") == as_json(document.metrics):
        head = objects.head(stored["key"])
        if head is not None and head.sha256 == stored["sha256"]:
            return objects.get(stored["key"])
    return metrics_png(document.metrics)


def _strip(now: Stage, objects: ObjectStore, work: Work, seen: Seen, planned: PlannedStrip) -> bytes:
    """The stills of each ball; where nothing was decoded, the stored ones if they still show the same."""
    key = now.row.stored_key(Output.DEEP_MOMENTS_IMAGE)
    # Jobs that were analysed before there were strips have none, and one that is gone is drawn again: it is not what costs.
    stored = objects.get(key) if not seen.footage and objects.head(key) else None
    return moments_strip(work, planned, seen.footage, stored)


def _shown(now: Stage, objects: ObjectStore, work: Work, seen: Seen, document: AnalysisResults, output: Output) -> bytes:
    """The player, as he was just seen or as the attempt that looked did show him."""
    return _player(work, seen.look, seen.footage, document) if seen.footage else stored_output(now.row, objects, output, bytes)


def _player(work: Work, look: Look, footage: Footage, document: AnalysisResults) -> bytes:
    from cricksy_pipeline.reading.drawing.pictures import NumberedPerson, player_picture

    frame = shown_frame(look, document)
    if frame is None:
        _, image = read_first_still(footage.video, work.index, short_side=MOST_SHORT_SIDE, children=footage.children)
        nobody = np.full((33, 2), np.nan)
        return player_picture(image, nobody, np.full(33, np.nan))
    (image,) = read_stills(footage.video, work.index, np.array([frame]), short_side=MOST_SHORT_SIDE, children=footage.children)
    row = int(np.flatnonzero(look.landmarks.frame == frame)[0])
    scale = image.shape[1] / work.index.info.width
    t_s = float(look.landmarks.t_s[row])
    others = [NumberedPerson(other.number, tuple((box * scale).tolist())) for other, box in _there(look.subject, t_s)]
    return player_picture(
        image,
        look.landmarks.xy[row] * scale,
        look.landmarks.visibility[row],
        margin=MARGIN,
        max_side=CROWDED_SIDE if others else ALONE_SIDE,
        number=look.subject.chosen,
        others=others,
    )


def _there(subject: Subject, t_s: float) -> list[tuple[SeenPerson, np.ndarray]]:
    """The runners-up who were seen around a time, with where they then were."""
    trails = [(other, Trail.of(other.path)) for other in subject.others]
    return [(other, trail.at(t_s)) for other, trail in trails if trail.known(t_s, AROUND_S)]


def _nearest_found(marks: Landmarks, t_s: float) -> int:
    found = np.flatnonzero(marks.found)
    return int(marks.frame[found[np.argmin(np.abs(marks.t_s[found] - t_s))]])
