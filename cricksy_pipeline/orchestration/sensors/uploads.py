"""Turns what lies in the store into runs: new objects become rows, rows that wait become one partition and one run each.

Belongs here: how much is done in one tick, where a tick left off, and what Dagster is asked for. Does not belong here: what becomes of an
object (`store.uploads`), which jobs wait (`store.run_queue`), finding what was asked for and never came (the reconciler).

Killed at any point, nothing is lost and nothing runs twice. Before Dagster has written down the tick's result: the rows say that runs were
asked for, no such runs exist, and the reconciler has them asked for again. After that: Dagster resumes the same tick under the run ids that
it reserved. In either case the run key, made of job and request, names at most one run.
"""

# No `from __future__ import annotations`: Dagster reads the annotations of resources as classes, not as text.

import json
import re
import time
from dataclasses import asdict, dataclass

import dagster as dg

from cricksy_pipeline.errors import ErrorCode
from cricksy_pipeline.orchestration.jobs import analysis
from cricksy_pipeline.orchestration.partitions import videos
from cricksy_pipeline.orchestration.resources import Jobs, Objects
from cricksy_pipeline.orchestration.settling import REQUEST_TAG
from cricksy_pipeline.store.jobs import JobStore
from cricksy_pipeline.store.run_queue import RunQueue, WaitingJob
from cricksy_pipeline.store.uploads import Sweep, UploadIntake

SWEEP_S = 15.0
"""How long a tick looks at the store. With the creation of its runs it must end well before Dagster's 60 seconds."""

MOST_NEW = 500
"""Jobs that a tick makes. House default."""

MOST_RUNS = 20
"""Runs that a tick asks for. Dagster creates them one after the other, in 0.1 CPU seconds each; measured, a second each on a machine whose
load is four times its cores. With the look at the store that is less than 40 s for a tick even there."""

MOST_ASKED_FOR = 500
"""Runs that were asked for and have not begun. The others wait in the rows, which cost nothing; Dagster reads its whole queue every 5 s."""

REST = 5.0
"""After a look at everything that found nothing new, rest for so many times as long as it took: S3 charges for every page."""

LONGEST_REST_S = 120.0

PRIORITY = "10"
"""Before everything without a priority, such as a backfill."""

# What Dagster's pages, its range syntax and an object's key all bear. An adopted table may hold ids of another making.
_PARTITION_KEY = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True)
class Hint:
    """Where the last tick left off: the cursor. Any hint is a good one, the worst costs a look at everything.

    Attributes:
        bucket: of which store this is said.
        after: the key after which the look goes on; empty to begin anew.
        idle_s: how long the present look has lasted without finding anything.
        rest_until: Unix time before which a new look is not begun.
    """

    bucket: str
    after: str = ""
    idle_s: float = 0.0
    rest_until: float = 0.0

    @classmethod
    def read(cls, cursor: str | None, bucket: str) -> "Hint":
        """The hint in a cursor; an empty one where that is of another store, of another version, or no hint at all."""
        try:
            hint = cls(**json.loads(cursor or ""))
            kinds = [isinstance(hint.after, str), *(isinstance(value, (int, float)) for value in (hint.idle_s, hint.rest_until))]
        except (TypeError, ValueError, RecursionError):
            return cls(bucket)
        return hint if hint.bucket == bucket and all(kinds) else cls(bucket)

    @property
    def resting(self) -> bool:
        """Whether it is too early to look. A clock that was set back does not make the rest longer."""
        return 0 < self.rest_until - time.time() <= LONGEST_REST_S

    def then(self, sweep: Sweep, took_s: float) -> "Hint":
        """The hint after another part of the look."""
        idle_s = 0.0 if sweep.made or sweep.failed else self.idle_s + took_s
        if sweep.after:
            return Hint(self.bucket, sweep.after, idle_s)
        return Hint(self.bucket, rest_until=time.time() + min(REST * idle_s, LONGEST_REST_S))


@dg.sensor(
    name="uploads",
    job=analysis,
    minimum_interval_seconds=10,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Makes a job of every new object under the upload prefixes, and asks for one run of one partition for each job that waits.",
)
def uploads(context: dg.SensorEvaluationContext, jobs: Jobs, objects: Objects) -> dg.SensorResult:
    """One look at the store, and the next runs. A store or a database that is away fails the tick, and the cursor stays."""
    hint = Hint.read(context.cursor, objects.bucket)
    said = "resting"
    if not hint.resting:
        began = time.monotonic()
        sweep = UploadIntake(jobs, objects).sweep(after=hint.after, budget_s=SWEEP_S, most_new=MOST_NEW)
        hint = hint.then(sweep, time.monotonic() - began)
        said = _tell(context, sweep)
    asked = _next_jobs(context, jobs)
    return dg.SensorResult(
        run_requests=[_run_request(job) for job in asked],
        # An empty request would be written to the tick, too.
        dynamic_partitions_requests=[videos.build_add_request([job.id for job in asked])] if asked else [],
        skip_reason=None if asked else said,
        cursor=json.dumps(asdict(hint)),
    )


def _next_jobs(context: dg.SensorEvaluationContext, jobs: JobStore) -> list[WaitingJob]:
    """The jobs for which a run is asked for now, marked as such."""
    queue = RunQueue(jobs.engine)
    room = MOST_ASKED_FOR - queue.requested(MOST_ASKED_FOR)
    waiting = []
    for job in queue.waiting(min(room, MOST_RUNS)):
        if _PARTITION_KEY.fullmatch(job.id):
            waiting.append(job)
        else:
            context.log.error("job %r cannot be a partition", job.id)
            jobs.fail_unclaimed(job.id, ErrorCode.INTERNAL, "The job's id cannot be the key of a partition, so it cannot be analysed.")
    marked = queue.mark_requested([job.id for job in waiting])
    return [job for job in waiting if job.id in marked]


def _run_request(job: WaitingJob) -> dg.RunRequest:
    # Dagster remembers a run key for ever, failed runs included: a job that is to run again has another request.
    tags = {"dagster/priority": PRIORITY, REQUEST_TAG: str(job.request)}
    return dg.RunRequest(partition_key=job.id, run_key=f"{job.id}:{job.request}", tags=tags)


def _tell(context: dg.SensorEvaluationContext, sweep: Sweep) -> str:
    """What a look did, to the tick's log. Returns it in one line."""
    for key, why in sweep.skipped:
        context.log.error("%r could not be entered and will be tried again: %s", key, why)
    for job_id in sweep.failed:
        context.log.warning("job_id=%s failed: its row says why", job_id)
    said = (
        f"{sweep.seen} objects seen: {len(sweep.made)} jobs made, {len(sweep.failed)} failed, {sweep.linked} known, "
        f"{len(sweep.unfinished)} still arriving, {len(sweep.skipped)} skipped{'; to be continued' if sweep.after else ''}"
    )
    if sweep.made or sweep.failed or sweep.linked:
        context.log.info(said)
    return said
