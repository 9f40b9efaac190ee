"""Which finished jobs a backfill would analyse anew, what of them it would make again, and at what cost.

Belongs here: the plan, which changes nothing, and its words: the dry run. Does not belong here: the query (`store.selection`), prices
(`backfill_prices`), what a run keeps (`keeping`), carrying the plan out (`backfill_runs`).

A backfill is nothing but runs of the one job over partitions. Each finds out by itself what of the earlier attempt still holds, so that
after new rules no video is decoded. The plan foretells that from the inputs that the rows record; what was damaged in the store since, it
does not see.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from cricksy_pipeline.analysis.guardrails import GUARDRAILS
from cricksy_pipeline.analysis.model import networks_identity
from cricksy_pipeline.analysis.versions import analysis_version, stage_inputs
from cricksy_pipeline.errors import CricksyError, ErrorCode
from cricksy_pipeline.orchestration.asked import analysis_options
from cricksy_pipeline.orchestration.backfill_prices import SEEN_IN, History, Price
from cricksy_pipeline.orchestration.work import sample_fps
from cricksy_pipeline.settings import Settings
from cricksy_pipeline.store.jobs import JobStore
from cricksy_pipeline.store.objects import LocalObjectStore
from cricksy_pipeline.store.selection import FinishedJob, Selection, finished_jobs, past_attempts
from cricksy_pipeline.store.sessions import require_mode

_QUICK_STAGES = ("frames", "quick_results")


@dataclass(frozen=True)
class PlannedJob:
    """A job that will be analysed anew.

    Attributes:
        looks: its video is decoded again; else rules are applied to stored landmarks.
        price: None where nothing like it was measured here yet.
    """

    id: str
    looks: bool
    created_at: datetime
    price: Price | None


@dataclass(frozen=True)
class BackfillPlan:
    """What a backfill will do.

    Attributes:
        version: the analysis version that the jobs will have.
        fresh: everything is made anew, also what still holds.
        jobs: what will be analysed, in this order: what needs no look into the video first, of each kind the youngest first.
        up_to_date: how many selected jobs would come out as they are: they are left alone.
        impossible: ids of selected jobs that cannot be analysed, by the reason.
        measured: from how many past attempts the prices are.
    """

    version: str
    fresh: bool
    jobs: tuple[PlannedJob, ...]
    up_to_date: int
    impossible: dict[str, tuple[str, ...]]
    measured: int

    def of_kind(self, *, looks: bool) -> tuple[PlannedJob, ...]:
        """The jobs that look into their video again, or those that do not."""
        return tuple(job for job in self.jobs if job.looks is looks)


def select(
    settings: Settings,
    *,
    outdated: bool = False,
    since: datetime | None = None,
    mode: str | None = None,
    everything: bool = False,
) -> Selection:
    """The selection that a person asked for. Conditions add up.

    Raises:
        ValueError: neither a condition nor `everything`: a backfill of all is never an accident.
        CricksyError: MODE_UNSUPPORTED.
    """
    if not (outdated or since or mode or everything):
        raise ValueError("say which jobs: --outdated, --since DATE, --mode MODE or --all")
    return Selection(
        outdated_for=current_version(settings) if outdated else None,
        since=since,
        mode=require_mode(mode) if mode else None,
    )


def current_version(settings: Settings) -> str:
    """The version by which this deployment analyses."""
    return analysis_version(networks=networks_identity(settings.pose_model, settings.pose_finder))


def plan_backfill(
    jobs: JobStore, settings: Settings, selection: Selection, *, fresh: bool = False, limit: int | None = None
) -> BackfillPlan:
    """What a backfill of the selected jobs would do. Changes nothing.

    Args:
        fresh: make everything anew, also what still holds.
        limit: analyse no more than so many, the youngest.

    Raises:
        CricksyError: DATABASE_UNAVAILABLE.
    """
    version, history = current_version(settings), History(past_attempts(jobs))
    planned: list[PlannedJob] = []
    impossible: dict[str, list[str]] = defaultdict(list)
    up_to_date = 0
    for job in finished_jobs(jobs, selection):
        try:
            again = _made_again(job, settings, fresh=fresh)
        except CricksyError as error:
            impossible[error.message].append(job.id)
            continue
        if not again and job.analysis_version == version:
            up_to_date += 1
        else:
            planned.append(PlannedJob(job.id, any(again.values()), job.created_at, history.price(job.stages or {}, again)))
    youngest = sorted(planned, key=lambda job: job.created_at, reverse=True)[:limit]
    return BackfillPlan(
        version,
        fresh,
        tuple(sorted(youngest, key=lambda job: job.looks)),  # a stable sort: of each kind still the youngest first
        up_to_date,
        {why: tuple(ids) for why, ids in impossible.items()},
        history.attempts,
    )


def plan_in_words(plan: BackfillPlan) -> list[str]:
    """The plan in a few lines, for a person."""
    lines = [f"{count_in_words(len(plan.jobs))} to analyse by version {plan.version}{', everything anew' if plan.fresh else ''}"]
    for looks, words in ((False, "apply rules to stored landmarks, no video is decoded"), (True, "look into the video again")):
        if some := plan.of_kind(looks=looks):
            lines.append(f"{len(some):,} {words}: {_cost_in_words([job.price for job in some])}")
    if any(job.price for job in plan.jobs):
        lines.append(
            f"(from {plan.measured:,} past attempts; CPU of the stages alone; time of one video after the other, without the start of a "
            "process for each)"
        )
    lines.append(f"{count_in_words(plan.up_to_date)} would come out as before: left alone")
    lines += [f"{len(ids):,} cannot be analysed: {why} ({_named(ids)})" for why, ids in plan.impossible.items()]
    return lines


def _made_again(job: FinishedJob, settings: Settings, *, fresh: bool) -> dict[str, bool]:
    """By stage that a run would make again, whether it looks into the video.

    Raises CricksyError where a run could not: no mode, no rate that a grid has, no video where this pipeline reads.
    """
    mode, rate = require_mode(job.analysis_mode), sample_fps(job)
    if not job.s3_key:
        raise CricksyError(ErrorCode.SOURCE_MISSING, "The row names no video.")
    # An overlay that only ever failed leaves an entry without inputs.
    recorded = {} if fresh else {step: record.get("inputs") for step, record in (job.stages or {}).items()}
    inputs = stage_inputs(
        source_sha256=job.source_sha256 or "",
        mode=mode,
        sample_fps=rate,
        networks=networks_identity(settings.pose_model, settings.pose_finder),
        include_frames=bool(job.include_frames),
        options=analysis_options(job),
    )
    changed = {step for step, made_from in inputs.items() if recorded.get(step) != made_from}
    again = {
        stage: SEEN_IN.get(stage) in changed for stage in GUARDRAILS if stage in changed and (job.deep_enabled or stage in _QUICK_STAGES)
    }
    bucket = settings.bucket or LocalObjectStore.bucket
    if any(again.values()) and job.s3_bucket != bucket:
        raise CricksyError(ErrorCode.SOURCE_MISSING, f"The video lies in the bucket {job.s3_bucket}; this pipeline reads {bucket}.")
    return again


def _cost_in_words(prices: list[Price | None]) -> str:
    known = [price for price in prices if price]
    if not known:
        return "cost not measured yet"
    cpu_s, seconds = sum(price.cpu_s for price in known), sum(price.seconds for price in known)
    words = f"about {duration_in_words(cpu_s)} of CPU, {duration_in_words(seconds)} of time"
    return words if len(known) == len(prices) else f"{words}; {len(prices) - len(known):,} of them not measured yet"


def count_in_words(videos: int) -> str:
    """How many videos."""
    return f"{videos:,} video{'' if videos == 1 else 's'}"


def duration_in_words(seconds: float) -> str:
    """A length of time with the two digits that an estimate is worth."""
    for unit, length in (("days", 86400.0), ("hours", 3600.0), ("minutes", 60.0)):
        if seconds >= 2 * length:
            return f"{float(f'{seconds / length:.2g}'):g} {unit}"
    return f"{float(f'{seconds:.2g}'):g} seconds"


def _named(ids: tuple[str, ...], most: int = 3) -> str:
    return ", ".join(ids[:most]) + (", ..." if len(ids) > most else "")
