"""Overlay videos of finished jobs, as the rows remember them: which are due, which were made, which a reader may be shown.

Belongs here: the entry `overlay` of a row's `stages` and the objects it names. Does not belong here: drawing (`reading.overlay`), runs
(`orchestration`). An overlay comes after `done` and never changes a job's status; so it has its own fence, the hash of the very results
that it was drawn from. Should these be replaced, or the session ask for blurred faces, the overlay is no longer shown, and due again.

    stages["overlay"] = {"of", "inputs", "blurred", "clips", "run_id", "attempt", "made_in", "seconds", "cpu_s"}    made
                        {..., "failed": {"of", "blurred", "code", "message", "run_id", "tries", "final"}}           tried in vain since
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Boolean, ColumnElement, Engine, and_, cast, func, or_, select, update

from cricksy_pipeline.errors import CricksyError, ErrorCode
from cricksy_pipeline.store.claims import JOB, NOW, SESSION, locked
from cricksy_pipeline.store.database import transaction
from cricksy_pipeline.store.documents import checked
from cricksy_pipeline.store.expiry import ago
from cricksy_pipeline.store.keys import Output, clip_name
from cricksy_pipeline.store.models import JobStatus, VideoAnalysisJob
from cricksy_pipeline.store.sessions import plain_text

STEP = "overlay"
MOST_MESSAGE = 1000
_DAY_S = 86_400.0


class OverlaySuperseded(CricksyError):
    """The results that an overlay was drawn from are no longer the job's, or somebody else drew it meanwhile. Code SOURCE_CHANGED."""


@dataclass(frozen=True)
class DueOverlay:
    """A finished job without the overlay that belongs to it.

    Attributes:
        of: hash of its results.
        blurred: whether faces are to be blurred.
        tries: failed tries over these results.
    """

    job_id: str
    of: str
    blurred: bool
    tries: int


@dataclass(frozen=True)
class MadeOverlay:
    """An overlay that lies in the store.

    Attributes:
        of: hash of the results it was drawn from.
        inputs: hash of all that it follows from (`reading.overlay.making.Drawing.fingerprint`).
        objects: by output name, {"key", "sha256"}.
        clips: the balls that have one.
        record: run_id, seconds, cpu_s.
    """

    of: str
    inputs: str
    blurred: bool
    objects: dict[str, dict[str, str]]
    clips: tuple[int, ...]
    record: dict[str, Any]


@dataclass(frozen=True)
class ShownOverlay:
    """What a reader may be told of a job's overlay.

    Attributes:
        state: `made`; `failed`, with `message`; `waiting`: not made yet; `none`: this job has none, as quick-only ones and the earlier
            system's.
        key: of the overlay video; None unless made.
        clips: key of each ball's clip.
        blurred: whether faces are blurred in them; None unless made.
        message: why it failed, for a person.
    """

    state: Literal["made", "failed", "waiting", "none"]
    key: str | None = None
    clips: dict[int, str] | None = None
    blurred: bool | None = None
    message: str | None = None


def results_hash(row: VideoAnalysisJob) -> str | None:
    """The hash of the results that a reader of the row is shown; None where no stage recorded any."""
    entry = _shown(row, "stored_objects").get(str(Output.DEEP_RESULTS))
    return entry.get("sha256") if isinstance(entry, dict) else None


def shown_overlay(row: VideoAnalysisJob, blur_faces: bool | None) -> ShownOverlay:
    """The overlay of the analysis that the row shows; while that is being replaced, the earlier one's.

    Args:
        blur_faces: what the session says now. One whose faces can be seen is not shown where they are to be blurred.
    """
    of = results_hash(row)
    if of is None or not row.deep_enabled or not (row.superseded or row.status == JobStatus.DONE):
        return ShownOverlay("none")
    record, objects = _shown(row, "stages").get(STEP) or {}, _shown(row, "stored_objects")
    if record.get("of") == of and (record.get("blurred") or not blur_faces):
        clips = {ball: objects[clip_name(ball)]["key"] for ball in record["clips"]}
        return ShownOverlay("made", objects[str(Output.OVERLAY)]["key"], clips, bool(record["blurred"]))
    failed = record.get("failed") or {}
    if failed.get("of") == of and failed.get("blurred") == bool(blur_faces):
        return ShownOverlay("failed", message=failed["message"])
    return ShownOverlay("waiting")


class Overlays:
    """The overlays' part of the job rows. Every method is one transaction, and may raise `CricksyError` DATABASE_UNAVAILABLE."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def due(self, *, within_days: float, tries: int, limit: int) -> list[DueOverlay]:
        """Jobs that were finished within so many days, whose overlay is missing and worth another try; youngest first.

        Args:
            tries: after so many over the same results there is no other by itself.
        """
        record = JOB.c.stages[STEP]
        of = JOB.c.stored_objects[str(Output.DEEP_RESULTS)]["sha256"].as_string()
        blur = func.coalesce(SESSION.c.blur_faces, False)
        made = and_(record["of"].as_string() == of, or_(~blur, _is_true(record["blurred"])))
        failed_so = and_(record["failed"]["of"].as_string() == of, _is_true(record["failed"]["blurred"]) == blur)
        tried = func.coalesce(record["failed"]["tries"].as_integer(), 0)
        tried_so = func.coalesce(failed_so, False)
        query = (
            select(JOB.c.id, of, blur, tried, tried_so)
            .join(SESSION, SESSION.c.id == JOB.c.session_id)
            .where(
                JOB.c.status == JobStatus.DONE,
                JOB.c.completed_at > ago(within_days * _DAY_S),
                JOB.c.deep_enabled.is_not(False),
                of.is_not(None),
                ~func.coalesce(made, False),
                or_(~tried_so, and_(tried < tries, ~_is_true(record["failed"]["final"]))),
            )
            .order_by(JOB.c.completed_at.desc().nulls_last(), JOB.c.id.desc())
            .limit(limit)
        )
        with transaction(self.engine) as connection:
            return [DueOverlay(job, of, blur, tried if same else 0) for job, of, blur, tried, same in connection.execute(query)]

    def record(self, job_id: str, made: MadeOverlay, *, seen: dict[str, Any] | None) -> list[str]:
        """The overlay is the job's from here on.

        Args:
            seen: the row's entry as it was when the drawing began: should somebody else have written it meanwhile, nothing is changed.

        Returns:
            Keys of the objects that the row named before and names no more; nobody reads them.

        Raises:
            UnknownJob: the job is gone.
            OverlaySuperseded: it was drawn from results, or beside a request to blur faces, that are not the job's any more.
        """
        with transaction(self.engine) as connection:
            row = locked(connection, job_id)
            stages, objects = dict(row.stages or {}), dict(row.stored_objects or {})
            entry = objects.get(str(Output.DEEP_RESULTS)) or {}
            blur = connection.scalar(select(SESSION.c.blur_faces).where(SESSION.c.id == row.session_id))
            if row.status != JobStatus.DONE or entry.get("sha256") != made.of or stages.get(STEP) != seen or (blur and not made.blurred):
                raise OverlaySuperseded(ErrorCode.SOURCE_CHANGED, f"Job {job_id} has changed since its overlay was begun.")
            before = {name: objects.pop(name) for name in list(objects) if is_overlay(name)}
            objects |= made.objects
            known = {"of": made.of, "inputs": made.inputs, "blurred": made.blurred, "clips": list(made.clips)}
            stages[STEP] = {**known, **made.record, "attempt": row.attempt, "made_in": row.attempt}
            values = {"stages": checked(stages, "stages"), "stored_objects": checked(objects, "stored_objects"), "updated_at": NOW}
            connection.execute(update(JOB).where(JOB.c.id == job_id).values(values))
        kept = {entry["key"] for entry in made.objects.values()}
        return [entry["key"] for entry in before.values() if entry["key"] not in kept]

    def record_failure(self, due: DueOverlay, error: CricksyError, run_id: str, *, final: bool = False) -> None:
        """A try was in vain. Status and error of the job stay as they are, and an earlier overlay of the same results is still shown.

        Nothing is written where the results are not the job's any more.

        Args:
            due: what was tried.
            final: no further try by itself; so it is with every error that is not transient.

        Raises:
            UnknownJob: the job is gone.
        """
        job_id, of, blurred = due.job_id, due.of, due.blurred
        with transaction(self.engine) as connection:
            row = locked(connection, job_id)
            entry = (row.stored_objects or {}).get(str(Output.DEEP_RESULTS)) or {}
            if row.status != JobStatus.DONE or entry.get("sha256") != of:
                return
            record = dict((row.stages or {}).get(STEP) or {})
            before = record.get("failed") or {}
            same = before.get("of") == of and before.get("blurred") == blurred
            record["failed"] = {
                "of": of,
                "blurred": blurred,
                "code": error.code.value,
                "message": plain_text(error.message)[:MOST_MESSAGE],
                "run_id": run_id,
                "tries": (before.get("tries", 0) if same else 0) + 1,
                "final": final or not error.transient,
            }
            stages = checked({**(row.stages or {}), STEP: record}, "stages")
            connection.execute(update(JOB).where(JOB.c.id == job_id).values(stages=stages, updated_at=NOW))


def is_overlay(name: str) -> bool:
    """Whether an output is the overlay video or a clip."""
    return name == Output.OVERLAY or name.startswith("deliveries/")


def _shown(row: VideoAnalysisJob, column: str) -> dict[str, Any]:
    return (row.superseded.get(column) if row.superseded else getattr(row, column)) or {}


def _is_true(value: Any) -> ColumnElement[bool]:
    return func.coalesce(cast(value.as_string(), Boolean), False)
