"""`inventory`: how the whole stands, taken every quarter of an hour, with checks that say when a person should look.

Belongs here: the asset, what its page shows, the limits of its checks, its job and schedule. Plain numbers in the metadata are plotted
over time by Dagster itself. Does not belong here: the questions (`store.inventory`, `store.readability`), mending what is found
(`sensors.reconcile`, `cricksy rehydrate`, `cricksy backfill --outdated`).

The checks do not block: nothing depends on the inventory, and a number that is too high must not keep the next one from being taken.
"""

# No `from __future__ import annotations`: Dagster reads the annotation of `context` as a class, not as text.

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta

import dagster as dg

from cricksy_pipeline.analysis.model import networks_identity
from cricksy_pipeline.analysis.versions import analysis_version
from cricksy_pipeline.errors import CODE_FACTS, ErrorCode
from cricksy_pipeline.orchestration.asset_options import DATA_OWNER
from cricksy_pipeline.orchestration.links import job_url
from cricksy_pipeline.orchestration.metadata_budget import within_budget
from cricksy_pipeline.orchestration.resources import Config, Jobs, Objects
from cricksy_pipeline.settings import Settings
from cricksy_pipeline.store.inventory import Inventory, outdated, read_inventory
from cricksy_pipeline.store.readability import ReadabilityPage, unreadable_done
from cricksy_pipeline.store.sessions import JobSummary

EXAMPLES = 20
"""Rows that a table of the page shows. The counts are of all."""

CLOSE_LOOKS = 2000
"""Rows whose documents one inventory loads at most. Only rows of the earlier system that were not rehydrated need it in such numbers."""

SILENT_S = 600.0
"""Silence after which a run counts as stale. House default: the reconciler ends a silent run within a minute or two, so ten say that the
reconciler itself does not work."""

EVERY = timedelta(minutes=15)


FEWEST_ATTEMPTS = 10
"""Below so many ended attempts their failures are not judged. House default: with fewer, two bad uploads would be an alarm."""


@dataclass(frozen=True)
class Verdict:
    """What a check found: whether all is well, the number it looked at, and a sentence for a person."""

    passed: bool
    actual: float
    words: str


def _all_readable(state: Inventory, read: ReadabilityPage, most: float) -> Verdict:
    found = len(read.found)
    if read.after is None:
        return Verdict(found <= most, found, f"{found} finished videos cannot be rendered.")
    unfinished = f"{found} cannot be rendered of the first {read.looked_at} that need a close look, and there are more."
    return Verdict(False, found, f"{unfinished} Run `cricksy rehydrate`: rehydrated videos need none.")


def _nobody_silent(state: Inventory, read: ReadabilityPage, most: float) -> Verdict:
    silent = len(state.stale)
    return Verdict(silent <= most, silent, f"{silent} videos are held by runs that give no sign of life.")


def _queue_moves(state: Inventory, read: ReadabilityPage, most: float) -> Verdict:
    if state.oldest_queued_s is None:
        return Verdict(True, 0, "No video waits.")
    waits = state.oldest_queued_s
    return Verdict(waits <= most, waits, f"The video that waits longest waits for {waits / 60:.0f} minutes.")


def _few_fail(state: Inventory, read: ReadabilityPage, most: float) -> Verdict:
    day = state.last_day
    share = day.failure_share or 0.0
    if day.attempts < FEWEST_ATTEMPTS:
        return Verdict(True, share, f"Only {day.attempts} analyses ended within 24 hours: too few to judge.")
    return Verdict(share <= most, share, f"Of {day.attempts} analyses that ended within 24 hours, {day.failed + day.lost} failed.")


@dataclass(frozen=True)
class Watch:
    """One check: what it says where all is well, how it looks, the most that its number may be, and how bad more is."""

    name: str
    description: str
    look: Callable[[Inventory, ReadabilityPage, float], Verdict]
    most: float
    severity: dg.AssetCheckSeverity


ERROR, WARN = dg.AssetCheckSeverity.ERROR, dg.AssetCheckSeverity.WARN
WATCHES = (
    # The promise of the house; not an opinion.
    Watch("no_unreadable_analyses", "Every finished video can be rendered by a reader.", _all_readable, 0, ERROR),
    # One is too many, see SILENT_S.
    Watch("no_stale_runs", f"No run that holds a video was silent for {SILENT_S:.0f} s.", _nobody_silent, 0, ERROR),
    # House default: who uploads after training reads the result the same evening.
    Watch("queue_moves", "No video waits longer than an hour for its analysis to begin.", _queue_moves, 3600, WARN),
    # House default: some of what people upload is no video; one in five is more than that.
    Watch("failure_share", "Of the analyses that ended within 24 hours, at most a fifth failed.", _few_fail, 0.2, WARN),
)


@dg.asset(
    name="inventory",
    group_name="operations",
    owners=[DATA_OWNER],
    kinds={"python", "postgres"},
    check_specs=[dg.AssetCheckSpec(watch.name, asset="inventory", description=watch.description) for watch in WATCHES],
    freshness_policy=dg.FreshnessPolicy.time_window(warn_window=4 * EVERY, fail_window=8 * EVERY),
)
def inventory(jobs: Jobs, objects: Objects, settings: Config) -> dg.MaterializeResult:
    """How the whole stands: videos by state, failures, silent runs, unreadable results, the queue, the throughput, the older analyses.

    Each number is a metadata entry, so this page plots it over time. Not partitioned: it is about all videos.
    """
    state = read_inventory(jobs, stale_after_s=SILENT_S)
    read = unreadable_done(jobs, objects, limit=CLOSE_LOOKS)
    current = analysis_version(networks=networks_identity(settings.pose_model, settings.pose_finder))
    older = outdated(jobs, current, limit=EXAMPLES)
    return dg.MaterializeResult(
        metadata=within_budget({**_numbers(state, read, current), **_tables(state, read, current, older, settings)}),
        check_results=[_check(watch, state, read) for watch in WATCHES],
    )


take_inventory = dg.define_asset_job(
    "take_inventory",
    selection=dg.AssetSelection.assets(inventory),
    # Seconds of work that tell how the queue is: it must not wait behind it.
    tags={"dagster/priority": "20", "dagster/max_runtime": "600"},
    description="Count how all videos stand, and judge it.",
)


@dg.schedule(
    job=take_inventory,
    cron_schedule="*/15 * * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="The inventory, every quarter of an hour.",
)
def inventory_schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """Asks for a run, unless the one before still waits: a queue that does not move must not fill up with questions about it."""
    waiting = dg.RunsFilter(job_name=take_inventory.name, statuses=[dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.NOT_STARTED])
    if context.instance.get_runs_count(waiting):
        return dg.SkipReason("The inventory before this one still waits for a free slot.")
    return dg.RunRequest()


def _numbers(state: Inventory, read: ReadabilityPage, current: str) -> dict[str, float | int]:
    """What is plotted. Zero where nothing waits or failed, so that the line has no gaps."""
    share = state.last_day.failure_share
    return {
        "videos": sum(state.by_status.values()),
        **{f"videos/{status}": count for status, count in state.by_status.items()},
        "videos/outdated": state.outdated(current),
        "videos/unreadable": len(read.found),
        "videos/stale": len(state.stale),
        "oldest_queued_minutes": round((state.oldest_queued_s or 0.0) / 60, 1),
        "last_hour/done": state.last_hour.done,
        "last_hour/failed": state.last_hour.failed + state.last_hour.lost,
        "last_day/done_per_hour": round(state.last_day.done_per_hour, 2),
        "last_day/failed_per_hour": round(state.last_day.failed_per_hour, 2),
        **({"last_day/failure_share": round(share, 4)} if share is not None else {}),
    }


def _tables(
    state: Inventory, read: ReadabilityPage, current: str, older: list[JobSummary], settings: Settings
) -> dict[str, dg.MetadataValue | str]:
    """What is looked up: which videos, why, and with which rules."""

    def link(job_id: str) -> str:
        return f"[{job_id}]({job_url(settings, job_id)})"

    failed = [dg.TableRecord({"code": code, "attempts": n, "advice": _advice(code)}) for code, n in state.failed_by_code.items()]
    versions = [
        dg.TableRecord({"analysis_version": version or "earlier system", "videos": count, "current": version == current})
        for version, count in state.by_version.items()
    ]
    tables = {
        "failed_in_the_last_day": dg.MetadataValue.table(failed) if failed else None,
        "finished_by_version": dg.MetadataValue.table(versions) if versions else None,
        "unreadable": _markdown(
            ("video", "status", "why"), ((link(row.id), row.status, "; ".join(row.reasons)) for row in read.found[:EXAMPLES])
        ),
        "stale": _markdown(
            ("video", "status", "run", "last sign of life"),
            ((link(row.id), row.status, row.dagster_run_id, row.heartbeat_at.isoformat()) for row in state.stale[:EXAMPLES]),
        ),
        "outdated": _markdown(
            ("video", "analysed", "with version"),
            ((link(row.id), str(row.completed_at or "unknown")[:10], row.analysis_version or "earlier system") for row in older),
        ),
    }
    return {"current_version": current, **{name: table for name, table in tables.items() if table is not None}}


def _check(watch: Watch, state: Inventory, read: ReadabilityPage) -> dg.AssetCheckResult:
    verdict = watch.look(state, read, watch.most)
    return dg.AssetCheckResult(
        check_name=watch.name,
        passed=verdict.passed,
        severity=watch.severity,
        description=verdict.words,
        metadata={"actual": round(float(verdict.actual), 4), "limit": float(watch.most)},
    )


def _advice(code: str) -> str:
    return CODE_FACTS[ErrorCode(code)].advice if code in ErrorCode.__members__ else ""


def _markdown(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> dg.MetadataValue | None:
    """A table with links, which Dagster's own tables cannot have; None where it has no rows."""
    lines = [" | ".join(cell.replace("|", r"\|").replace("\n", " ") for cell in row) for row in rows]
    table = [" | ".join(header), "|".join(["---"] * len(header)), *lines]
    return dg.MetadataValue.md("\n".join(f"| {line} |" for line in table)) if lines else None
