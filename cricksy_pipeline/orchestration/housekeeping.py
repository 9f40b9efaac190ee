"""The chores: what is removed by the clock, each with a dry run that says what it would do.

Belongs here: one function per chore, its schedule, and the small factory that makes a Dagster job of it. Does not belong here: what is
left over in rows and objects (`store.expiry`, `store.orphans`).

A chore is an iterator over what it has done, a phrase for each: it does one thing, then says it. Nothing happens unless it is read.
"""

# No `from __future__ import annotations`: Dagster reads the annotations of configuration and resources as classes, not as text.

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
from dagster._core.execution.backfill import BULK_ACTION_TERMINAL_STATUSES, BulkActionsFilter, BulkActionStatus
from dagster._core.storage.dagster_run import FINISHED_STATUSES, RunsFilter
from dagster._core.storage.tags import ASSET_PARTITION_RANGE_START_TAG, PARTITION_NAME_TAG
from pydantic import Field

from cricksy_pipeline.errors import CricksyError
from cricksy_pipeline.orchestration.partitions import videos
from cricksy_pipeline.orchestration.resources import Jobs, Objects
from cricksy_pipeline.orchestration.session_deletion import SessionBusy, UnknownSession, delete_session, unfinished_runs
from cricksy_pipeline.store import expiry, orphans
from cricksy_pipeline.store.jobs import JobStore
from cricksy_pipeline.store.keys import UPLOAD_PREFIXES
from cricksy_pipeline.store.object_contract import ObjectStore

RUN_FOLDERS = "cricksy-run-*"
"""The local copies of videos that `resources` makes, in the folder for temporary files."""

MOST_PARTITIONS = 500
MOST_RUNS = 1000
MOST_SESSIONS = 200
"""What one round of a chore removes at most, so that it ends in minutes; the next round goes on."""

SHOWN = 100
"""Phrases that the metadata of a round shows; its log has all."""


@dataclass(frozen=True)
class Household:
    """What the chores look after.

    Attributes:
        prefixes: where uploads, and the outputs beside them, lie in the bucket; each ends with a slash.
        partition_retention_days: how long after its job's end a partition is kept.
        run_retention_days: how long after its end a Dagster run is kept that no listed partition needs; never longer than partitions are.
        leftovers_after_hours: age from which an upload, a file or a folder that nobody finished is left over.
        temporary: the folder for temporary files of this machine.
    """

    instance: dg.DagsterInstance
    jobs: JobStore
    objects: ObjectStore
    prefixes: tuple[str, ...] = UPLOAD_PREFIXES
    partition_retention_days: float = 180.0
    run_retention_days: float = 90.0
    leftovers_after_hours: float = 24.0
    temporary: Path = field(default_factory=lambda: Path(tempfile.gettempdir()))

    @property
    def runs_kept_days(self) -> float:
        """How long runs are kept: Dagster's pages read the events of all, also of those whose partition is forgotten."""
        return min(self.run_retention_days, self.partition_retention_days)


@dataclass(frozen=True)
class Chore:
    """One chore: its name, when it is done (UTC), and what is done: `(household, dry_run) -> phrases`."""

    name: str
    cron: str
    do: Callable[[Household, bool], Iterator[str]]


def forget_partitions(household: Household, dry_run: bool) -> Iterator[str]:
    """Remove the partitions of jobs whose row is gone, or that ended longer ago than the retention; never under a run or a backfill.

    Row and objects stay: they are the archive, the partition is an index. Adding the key again makes the job one that can be analysed
    anew. Raises CricksyError DATABASE_UNAVAILABLE where the database does not answer or has no job at all.
    """
    # The keys before the rows: a row is always made before its key, so a key without a row is one whose row is gone.
    keys = household.instance.get_dynamic_partitions(videos.name)
    if not keys:
        return
    days, forgotten = household.partition_retention_days, 0
    candidates = expiry.forgettable(household.jobs, keys, days)
    awaited = _awaited_by_backfills(household.instance) if candidates else set()
    for key, why in candidates.items():
        if forgotten == MOST_PARTITIONS:
            return
        # A run whose partition is gone dies at its next step, so the row is held still while Dagster is asked.
        with expiry.undisturbed(household.jobs, key, days) as still:
            if not still or key in awaited or unfinished_runs(household.instance, key):
                continue
            if not dry_run:
                household.instance.delete_dynamic_partition(videos.name, key)
        forgotten += 1
        yield f"forget the partition {key}: {why}"


def end_retention(household: Household, dry_run: bool) -> Iterator[str]:
    """Delete the sessions that are to be kept no longer, each with its video and all that was made of it.

    One whose analysis is at work is deleted in a later round. One that cannot be deleted holds up no other; the first such error is raised
    at the end.
    """
    first: CricksyError | None = None
    for session_id, until in expiry.retention_ended(household.jobs, limit=MOST_SESSIONS):
        try:
            if not dry_run:
                delete_session(household.instance, household.jobs, household.objects, session_id, only_expired=True)
        except (SessionBusy, UnknownSession):
            continue
        except CricksyError as error:
            first = first or error
            continue
        yield f"delete the session {session_id} with its video: it was to be kept until {until:%Y-%m-%d %H:%M} UTC"
    if first is not None:
        raise first


def expire_uploads(household: Household, dry_run: bool) -> Iterator[str]:
    """Fail jobs and sessions whose upload was begun a day ago and never completed, and drop the parts of such uploads."""
    after = household.leftovers_after_hours
    yield from expiry.expire_uploads(household.jobs, household.objects, prefixes=household.prefixes, after_hours=after, dry_run=dry_run)


def sweep_temporary(household: Household, dry_run: bool) -> Iterator[str]:
    """Remove what killed processes left: local copies of videos, half-written files, outputs that no row names any more."""
    after = household.leftovers_after_hours
    yield from _sweep_run_folders(household.temporary, after_hours=after, dry_run=dry_run)
    yield from expiry.sweep_half_written(household.objects, after_hours=after, dry_run=dry_run)
    yield from orphans.sweep_objects(household.jobs, household.objects, prefixes=household.prefixes, dry_run=dry_run)


def forget_runs(household: Household, dry_run: bool) -> Iterator[str]:
    """Delete Dagster's runs that ended longer ago than the retention, with their events, except those of partitions that are still listed.

    With a run go the materializations it made: a listed video would look never analysed, and a backfill of what is missing would do it all
    again. Ticks are not a chore: Dagster purges them itself, by `retention` in dagster.yaml.
    """
    # Deleting a run also forgets its run key, so Dagster would accept the same request again. It is never made: requests follow from
    # rows that are queued, a row that has ended is queued again under a new request number only, and the row itself fences every claim.
    instance, cursor, deleted = household.instance, None, 0
    listed = set(instance.get_dynamic_partitions(videos.name))
    ended_before = datetime.now(UTC) - timedelta(days=household.runs_kept_days)
    old = RunsFilter(statuses=FINISHED_STATUSES, updated_before=ended_before)
    while records := instance.get_run_records(old, limit=expiry.BATCH, cursor=cursor, ascending=True):
        for record in records:
            run = record.dagster_run
            kept = not listed.isdisjoint(run.tags.get(tag) for tag in (PARTITION_NAME_TAG, ASSET_PARTITION_RANGE_START_TAG))
            if not kept:
                if deleted == MOST_RUNS:
                    return
                if not dry_run:
                    instance.delete_run(run.run_id)
                deleted += 1
                yield f"delete the run {run.run_id} of {run.job_name}, ended {record.update_timestamp:%Y-%m-%d}"
            if kept or dry_run:  # a run that is gone is no place to go on from
                cursor = run.run_id


CHORES: tuple[Chore, ...] = (
    # Hourly, because the API deletes sessions without Dagster: what it leaves of them is gone soon.
    Chore("forget_partitions", "17 * * * *", forget_partitions),
    Chore("end_retention", "27 * * * *", end_retention),
    Chore("expire_uploads", "10 1 * * *", expire_uploads),
    Chore("sweep_temporary", "40 1 * * *", sweep_temporary),
    # Hourly too: a round forgets a thousand runs, and there may be more videos a day.
    Chore("forget_runs", "47 * * * *", forget_runs),
)


def run_chores(
    household: Household, names: Sequence[str] = (), *, dry_run: bool = False, say: Callable[[str], None] = lambda _: None
) -> dict[str, list[str]]:
    """Do the named chores (all, where none is named), here and now.

    Args:
        say: called with each phrase as it is done.

    Returns:
        The phrases by chore.

    Raises:
        ValueError: an unknown name, before anything is done.
        CricksyError: as the chore's; what was done before has been said.
    """
    known = {chore.name: chore for chore in CHORES}
    if unknown := set(names) - set(known):
        raise ValueError(f"there is no chore {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    done: dict[str, list[str]] = {}
    for name in names or known:
        done[name] = []
        for phrase in known[name].do(household, dry_run):
            say(_told(phrase, dry_run))
            done[name].append(phrase)
    return done


class Options(dg.Config):
    """How a round of a chore is done."""

    dry_run: bool = Field(False, description="Only say what would be done.")


def build_housekeeping(*, partition_retention_days: float) -> tuple[list[dg.JobDefinition], list[dg.ScheduleDefinition]]:
    """A job of one op for each chore, and its schedule, which runs from the start. Needs the resources `jobs` and `objects`."""

    def household(context: dg.OpExecutionContext, jobs: JobStore, objects: ObjectStore) -> Household:
        return Household(context.instance, jobs, objects, partition_retention_days=partition_retention_days)

    jobs = [_job(chore, household) for chore in CHORES]
    schedules = [
        dg.ScheduleDefinition(
            job=job,
            cron_schedule=chore.cron,
            execution_timezone="UTC",
            default_status=dg.DefaultScheduleStatus.RUNNING,
            description=f"{job.description} Launch the job with `dry_run: true` to see what it would do.",
        )
        for chore, job in zip(CHORES, jobs, strict=True)
    ]
    return jobs, schedules


def _job(chore: Chore, household: Callable[[dg.OpExecutionContext, JobStore, ObjectStore], Household]) -> dg.JobDefinition:
    described = (chore.do.__doc__ or "").partition("\n")[0]

    @dg.op(name=f"do_{chore.name}", description=described, out=dg.Out(dg.Nothing))
    def do(context: dg.OpExecutionContext, config: Options, jobs: Jobs, objects: Objects) -> None:
        done = []
        try:
            for phrase in chore.do(household(context, jobs, objects), config.dry_run):
                context.log.info(_told(phrase, config.dry_run))
                done.append(phrase)
        except CricksyError as error:
            raise dg.Failure(str(error), metadata={"error_code": str(error.code), "count": len(done)}, allow_retries=False) from error
        more = [f"... and {len(done) - SHOWN} more, see the log"] if len(done) > SHOWN else []
        shown = "\n".join(f"- {phrase}" for phrase in (*done[:SHOWN], *more)) or "Nothing."
        context.add_output_metadata({"dry_run": config.dry_run, "count": len(done), "what": dg.MetadataValue.md(shown)})

    # Behind every video that waits, and never long enough to look like a dead run.
    tags = {"dagster/priority": "-10", "dagster/max_runtime": "3600"}

    @dg.job(name=chore.name, description=described, tags=tags)
    def job() -> None:
        do()

    return job


def _told(phrase: str, dry_run: bool) -> str:
    return f"would: {phrase}" if dry_run else f"done: {phrase}"


def _awaited_by_backfills(instance: dg.DagsterInstance) -> set[str]:
    """The partitions of all backfills under way, also of those whose runs are still to come."""
    under_way = [status for status in BulkActionStatus if status not in BULK_ACTION_TERMINAL_STATUSES]
    awaited: set[str] = set()
    for backfill in instance.get_backfills(filters=BulkActionsFilter(statuses=under_way)):
        awaited |= set(backfill.partition_names or ())
        if backfill.asset_backfill_data is not None:
            for subset in backfill.asset_backfill_data.target_subset.partitions_subsets_by_asset_key.values():
                awaited |= set(subset.get_partition_keys())
    return awaited


def _sweep_run_folders(temporary: Path, *, after_hours: float, dry_run: bool) -> Iterator[str]:
    """The folders of runs that were killed: a run is ended after hours (`max_runtime_seconds`), long before its folder is this old."""
    used_before = time.time() - after_hours * 3600
    for folder in sorted(temporary.glob(RUN_FOLDERS)):
        try:
            entry = folder.lstat()
            ours = not folder.is_symlink() and folder.is_dir() and entry.st_uid == os.getuid()
            if ours and max(path.lstat().st_mtime for path in (folder, *folder.rglob("*"))) < used_before:
                if not dry_run:
                    shutil.rmtree(folder)
                yield f"remove the folder {folder.name} of a run that was killed"
        except FileNotFoundError:  # its run ended just now
            continue
