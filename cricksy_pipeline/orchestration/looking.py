"""Looking into the video, unless what was seen there is stored and still holds.

Belongs here: the choice between looking and remembering, for both passes. Does not belong here: which frames a pass looks at
(`analysis.passes`), what holds (`keeping`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cricksy_pipeline.analysis.passes import Footage, Look, Work, look_deeply, look_quickly
from cricksy_pipeline.orchestration.keeping import landmarks_still_hold
from cricksy_pipeline.orchestration.stage import Stage
from cricksy_pipeline.orchestration.work import earlier_look
from cricksy_pipeline.store.keys import Output
from cricksy_pipeline.store.objects import ObjectStore


@dataclass(frozen=True)
class Seen:
    """What a pass saw.

    Attributes:
        footage: the video it was just seen in; None where an earlier attempt's look still holds, and nothing was decoded.
    """

    look: Look
    footage: Footage | None


def see_quickly(now: Stage, objects: ObjectStore, work: Work, footage: Callable[[], Footage], workers: int) -> Seen:
    """The quick look, stored or new."""
    if landmarks_still_hold(now, objects, "quick_landmarks"):
        return Seen(earlier_look(now, objects, Output.QUICK_FRAMES), None)
    opened = footage()
    return Seen(look_quickly(work, opened, workers=workers, on_progress=now.progress(2, 45)), opened)


def see_deeply(now: Stage, objects: ObjectStore, work: Work, footage: Callable[[], Footage], workers: int) -> Seen:
    """The deep look, stored or new. A new one looks only at what the quick look left out."""
    # Without its document nobody knows any more which networks saw them.
    if now.row.deep_results and landmarks_still_hold(now, objects, "deep_landmarks"):
        return Seen(earlier_look(now, objects, Output.DEEP_FRAMES), None)
    quick, opened = earlier_look(now, objects, Output.QUICK_FRAMES), footage()
    return Seen(look_deeply(work, opened, quick, workers=workers, on_progress=now.progress(50, 93)), opened)
