"""What everything costs that looks at many videos, at 1,000, 10,000 and 100,000 of them; and after the old ones were archived.

    .venv/bin/python -m benchmarks.scale                                     # an hour, 25 GB in the folder for temporary files
    .venv/bin/python -m benchmarks.scale --partitions 1000 --folder /somewhere
    .venv/bin/python -m benchmarks.scale --only reconciler alerts --folder /somewhere --partitions 100000 --plans

Belongs here: the operations, how they are measured, which are over their budget (`scale_budgets.toml`). Does not belong here: the filling
(`filled_database`), the pages (`scale_figures`).

PostgreSQL is the embedded one as `cricksy dev` starts it, with its defaults (128 MB of shared buffers). A sensor's tick is its evaluation
as Dagster's code server does it, resources opened anew; Dagster's pages are their own queries (`ui_queries`), asked of its schema in this
process; the API is asked through its app. CPU is that of this process and of PostgreSQL. Each figure is a median.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import dagster as dg
from sqlalchemy import text

from benchmarks.filled_database import ACADEMY, AT_WORK, WAITING, FilledDatabase
from benchmarks.own_folder import settings_in
from benchmarks.query_plans import Plan, plans_of
from benchmarks.rules_only_backfill import Machine
from benchmarks.ui_queries import ui_query
from benchmarks.uploads_sensor import Location, instance_ref
from cricksy_pipeline import stack
from cricksy_pipeline.orchestration.backfill import BackfillPlan, plan_backfill
from cricksy_pipeline.orchestration.backfill_runs import launch
from cricksy_pipeline.orchestration.housekeeping import CHORES, Household, forget_partitions
from cricksy_pipeline.orchestration.partitions import videos
from cricksy_pipeline.orchestration.sensors.overlays import PAGE, TRIES, WITHIN_DAYS
from cricksy_pipeline.settings import Settings
from cricksy_pipeline.store.inventory import outdated, read_inventory
from cricksy_pipeline.store.job_names import find_job
from cricksy_pipeline.store.overlays import Overlays
from cricksy_pipeline.store.readability import unreadable_done
from cricksy_pipeline.store.selection import Selection

BUDGETS = tomllib.loads((Path(__file__).parent / "scale_budgets.toml").read_text())["operation"]
REPEATS, SLOW_S, SLOW_REPEATS = 3, 5.0, 1
VERY_SLOW_S = 60.0
"""Measured repetitions after one that warms up; fewer of what takes long, and of what takes very long that one alone."""

LAUNCHED = 3000
KEPT_DAYS = 17.9
"""Archived, a tenth of the copies stay: they are spread over ten times as many days."""

STATES = ("all listed", "nine tenths archived", "and their runs forgotten")
"""All partitions are in Dagster; the old ones are archived (their keys are gone); and what Dagster knew of their runs is gone as well."""

ASKED_OF_DAGSTER = ("reconciler", "failed_runs", "backfill, launch of 3,000", "forget_partitions, nothing due", "forget_runs, dry run")
"""What, beside Dagster's pages, archiving can change: it takes nothing out of our own tables."""

ASSETS = ("frames", "quick_results", "deep_results", "findings", "report", "completed_analysis")
DAGSTERS_FAULT = "partitionStatuses"
"""What Dagster 1.13.27 cannot say of a check over dynamic partitions ("The instance is not available to load partitions"): its page shows
the rest of the answer."""
_SECRET = b"a secret of the benchmark, 32 bytes or more"


@dataclass
class Figure:
    """One operation at one size: medians in seconds. `state`: one of `STATES`. CPU is of this process and of PostgreSQL."""

    operation: str
    partitions: int
    state: str
    wall_s: float
    here_cpu_s: float
    postgres_cpu_s: float
    repeats: int

    @property
    def cpu_s(self) -> float:
        """What is compared with the budget."""
        return self.here_cpu_s + self.postgres_cpu_s


@dataclass(frozen=True)
class Operation:
    """Something that is measured: `do` once, `before` and `after` it what is not. `warm`: once unmeasured before."""

    do: Callable[[], Any]
    before: Callable[[], Any] = lambda: None
    after: Callable[[], Any] = lambda: None
    warm: bool = True


class Operations:
    """Everything that is measured, over one filled database."""

    def __init__(self, settings: Settings, filled: FilledDatabase, instance: dg.DagsterInstance, opened: contextlib.ExitStack) -> None:
        from fastapi.testclient import TestClient

        from cricksy_pipeline.reading.api.access import Access
        from cricksy_pipeline.reading.api.app import create_app
        from cricksy_pipeline.reading.api.development import development_tokens

        self._settings, self._filled, self._instance = settings, filled, instance
        self._jobs, self._objects = stack.open_job_store(settings), stack.open_object_store(settings)
        self._location = Location(settings, instance)
        self._household = Household(instance, self._jobs, self._objects)
        self._client = TestClient(create_app(jobs=self._jobs, objects=self._objects, access=Access(development_tokens(_SECRET))))
        self._pages = _DagstersPages(instance, opened)
        self._planned: BackfillPlan | None = None

    def all(self) -> dict[str, Operation]:
        """By the names of the budgets."""
        done, refused = self._some_job("done"), self._some_job("failed")
        chores = {chore.name: partial(self._chore, chore) for chore in CHORES}
        everything, nothing = Selection(), Selection(outdated_for=self._version_of_all())
        of_asset = {"assetKey": {"path": ["completed_analysis"]}}
        of_check = {"assetKey": {"path": ["report"]}, "checkName": self._some_check("report")}
        operations = {
            "uploads sensor, nothing new": Operation(self._tick("uploads")),
            **{
                f"uploads sensor, {new} new": Operation(self._tick("uploads"), partial(self._upload, new), self._forget_new)
                for new in (1, 100)
            },
            "reconciler": Operation(self._tick("reconcile")),
            **{name: Operation(self._tick(name)) for name in ("failed_runs", "stopped_runs", "overlays", "alerts")},
            "overlays, which are due": Operation(lambda: Overlays(self._jobs.engine).due(within_days=WITHIN_DAYS, tries=TRIES, limit=PAGE)),
            "backfill, dry run over all": Operation(lambda: plan_backfill(self._jobs, self._settings, everything)),
            "backfill, dry run, nothing outdated": Operation(lambda: plan_backfill(self._jobs, self._settings, nothing)),
            f"backfill, launch of {LAUNCHED:,}": Operation(self._launch, self._plan, self._unlaunch),
            "status: the newest job": Operation(lambda: find_job(self._jobs, None)),
            "inventory: counts": Operation(lambda: read_inventory(self._jobs, stale_after_s=600)),
            "inventory: unreadable results": Operation(lambda: unreadable_done(self._jobs, self._objects, limit=2000)),
            "inventory: outdated examples": Operation(lambda: outdated(self._jobs, nothing.outdated_for, limit=20)),
            "forget_partitions, nothing due": Operation(chores["forget_partitions"]),
            **{f"{name}, dry run": Operation(chores[name]) for name in ("forget_runs", "expire_uploads", "end_retention")},
            **self._lists(),
            "one job": Operation(self._get("/api/coaches/plus/analysis-jobs/" + done, _token_of_owner(self._owner(done)))),
            "Dagster: asset graph, cold": Operation(self._asset_graph, self._pages.forget, warm=False),
            "Dagster: asset graph": Operation(self._asset_graph),
            "Dagster: partitions of an asset": Operation(lambda: self._pages.ask("PartitionHealthQuery", of_asset)),
            "Dagster: partitions of a guardrail": Operation(lambda: self._pages.ask("AssetCheckPartitionHealthQuery", of_check)),
            "Dagster: one partition of an asset": Operation(
                lambda: self._pages.ask("AssetPartitionDetailQuery", {**of_asset, "partitionKey": done})
            ),
            "Dagster: one partition of a guardrail": Operation(
                lambda: self._pages.ask("AssetCheckPartitionDetailQuery", {**of_check, "partitionKey": done})
            ),
        }
        if set(operations) != set(BUDGETS):
            raise SystemExit(f"operations and budgets differ: {sorted(set(operations) ^ set(BUDGETS))}")
        if refused in self._instance.get_materialized_partitions(dg.AssetKey("report")):
            raise SystemExit("Dagster takes a refused video for analysed: the copies are not as it would write them")
        if done not in self._instance.get_materialized_partitions(dg.AssetKey("report")):
            raise SystemExit("Dagster does not know a finished video: the copies are not as it would write them")
        return operations

    def archive(self) -> dict[str, float]:
        """The old partitions are forgotten: one round by the chore itself, the rest by one statement. Returns what the round did."""
        began, days = time.monotonic(), KEPT_DAYS
        household = Household(self._instance, self._jobs, self._objects, partition_retention_days=days)
        forgotten = len(list(forget_partitions(household, False)))
        took_s = time.monotonic() - began
        with self._filled.dagsters.begin() as connection:
            values = {"days": days}
            connection.execute(text(f"DELETE FROM dynamic_partitions WHERE partition IN ({_OLD})"), values)
        self._filled.vacuum()
        return {"forgotten": forgotten, "seconds": took_s}

    def forget_runs(self) -> None:
        """The runs of archived partitions go too, with all their events: what the chore forget_runs does by and by."""
        with self._filled.dagsters.begin() as connection:
            gone = f"run_id IN (SELECT run_id FROM copy WHERE job_id IN ({_OLD}))"
            for table in ("asset_check_executions", "event_logs", "run_tags", "runs"):
                connection.execute(text(f"DELETE FROM {table} WHERE {gone}"), {"days": KEPT_DAYS})
            connection.execute(text("DELETE FROM asset_event_tags t WHERE NOT EXISTS (SELECT FROM event_logs e WHERE e.id = t.event_id)"))
        self._filled.vacuum()

    def an_archived_key_comes_back(self) -> bool:
        """Whether the backfill of one archived job lists its partition again."""
        with self._filled.dagsters.connect() as connection:
            job_id = connection.scalar(text(f"{_OLD} AND kind = 'done' LIMIT 1"), {"days": KEPT_DAYS})
        plan = plan_backfill(self._jobs, self._settings, Selection(), fresh=True)
        one = tuple(job for job in plan.jobs if job.id == job_id)
        gone_before = not self._instance.has_dynamic_partition(videos.name, job_id)
        self._launched = launch(self._instance, type(plan)(**{**plan.__dict__, "jobs": one}))
        back = self._instance.has_dynamic_partition(videos.name, job_id)
        self._unlaunch()
        self._instance.delete_dynamic_partition(videos.name, job_id)
        return gone_before and back

    def plans(self, operation: Operation) -> list[Plan]:
        """Of the statements that an operation sends to our database."""
        return plans_of(self._filled.ours, operation.do)

    def _tick(self, name: str) -> Callable[[], Any]:
        def tick() -> None:
            if name == "uploads":
                self._location.start_anew(name)
            self._location.tick(name)

        return tick

    def _upload(self, count: int) -> None:
        self._new = [f"uploads/batting/000/a-new-{time.time_ns()}-{n}.mp4" for n in range(count)]
        for key in self._new:
            path = self._objects.root / key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(key)
        time.sleep(self._objects.settle_s + 0.5)

    def _forget_new(self) -> None:
        with self._filled.ours.begin() as connection:
            made = list(connection.scalars(text("SELECT job_id FROM uploads WHERE key = ANY(:keys)"), {"keys": self._new}))
            if len(made) != len(self._new):
                raise SystemExit(f"of {len(self._new)} new objects the tick entered {len(made)}")
            connection.execute(text("DELETE FROM uploads WHERE key = ANY(:keys)"), {"keys": self._new})
            ours = "SELECT session_id FROM video_analysis_jobs WHERE id = ANY(:made)"
            connection.execute(text(f"DELETE FROM video_sessions WHERE id IN ({ours})"), {"made": made})
        with self._filled.dagsters.begin() as connection:
            connection.execute(text("DELETE FROM dynamic_partitions WHERE partition = ANY(:made)"), {"made": made})
        for key in self._new:
            (self._objects.root / key).unlink()

    def _plan(self) -> None:
        if self._planned is None:
            self._planned = plan_backfill(self._jobs, self._settings, Selection(), fresh=True, limit=LAUNCHED)

    def _launch(self) -> None:
        self._launched = launch(self._instance, self._planned)

    def _unlaunch(self) -> None:
        with self._filled.dagsters.begin() as connection:
            connection.execute(text("DELETE FROM backfill_tags WHERE backfill_id = ANY(:ids)"), {"ids": self._launched})
            connection.execute(text("DELETE FROM bulk_actions WHERE key = ANY(:ids)"), {"ids": self._launched})

    def _chore(self, chore: Any) -> list[str]:
        return list(chore.do(self._household, True))

    def _lists(self) -> dict[str, Operation]:
        from cricksy_pipeline.reading.api.cursors import cursor_text
        from cricksy_pipeline.store.row_pages import Position

        found: dict[str, Operation] = {}
        for who, owner in (("a coach", ("coach", "coach-7")), ("an academy", ACADEMY)):
            token = _token_of_owner(owner)
            for what, path, table, join in (
                ("sessions", "sessions", "video_sessions", ""),
                ("jobs", "analysis-jobs", "video_analysis_jobs", "JOIN video_sessions s ON s.id = t.session_id"),
            ):
                address = f"/api/coaches/plus/{path}?limit=50"
                owned = f"{'s' if join else 't'}.owner_type = :type AND {'s' if join else 't'}.owner_id = :owner"
                query = f"SELECT t.created_at, t.id FROM {table} t {join} WHERE {owned} ORDER BY t.created_at, t.id OFFSET 10 LIMIT 1"
                with self._filled.ours.connect() as connection:
                    last = connection.execute(text(query), {"type": owner[0], "owner": owner[1]}).one_or_none()
                found[f"{what} of {who}"] = Operation(self._get(address, token))
                after = f"&cursor={cursor_text(Position(*last))}" if last else ""
                found[f"{what} of {who}, last page"] = Operation(self._get(address + after, token))
        found["jobs of an academy that failed"] = Operation(self._get(address + "&status=failed", token))
        return found

    def _get(self, address: str, token: str) -> Callable[[], Any]:
        def get() -> None:
            answer = self._client.get(address, headers={"Authorization": f"Bearer {token}"})
            if answer.status_code != 200:
                raise SystemExit(f"{address}: {answer.status_code} {answer.text[:300]}")

        return get

    def _asset_graph(self) -> None:
        self._pages.ask("AssetGraphLiveQuery", {"assetKeys": [{"path": [name]} for name in ASSETS]})

    def _some_job(self, kind: str) -> str:
        query = "SELECT job_id FROM copy WHERE kind = :kind AND n >= :free ORDER BY ended_at DESC LIMIT 1"
        with self._filled.ours.connect() as connection:
            return connection.scalar(text(query), {"kind": kind, "free": WAITING + AT_WORK})

    def _owner(self, job_id: str) -> tuple[str, str]:
        with self._filled.ours.connect() as connection:
            return tuple(connection.execute(text("SELECT owner_type, owner_id FROM copy WHERE job_id = :job"), {"job": job_id}).one())

    def _some_check(self, asset: str) -> str:
        with self._filled.dagsters.connect() as connection:
            query = "SELECT check_name FROM original_check WHERE kind = 'done' AND asset_key = :asset LIMIT 1"
            return connection.scalar(text(query), {"asset": f'["{asset}"]'})

    def _version_of_all(self) -> str:
        """Not this code's: the database may have been filled before its last change."""
        query = "SELECT analysis_version FROM video_analysis_jobs JOIN original ON id = job_id WHERE kind = 'done'"
        with self._filled.ours.connect() as connection:
            return connection.scalar(text(query))


class _DagstersPages:
    """Dagster's GraphQL in this process, over the code location as its web server loads it."""

    def __init__(self, instance: dg.DagsterInstance, opened: contextlib.ExitStack) -> None:
        from dagster._core.workspace.context import WorkspaceProcessContext
        from dagster._core.workspace.load_target import ModuleTarget
        from dagster_graphql.schema import create_schema

        target = ModuleTarget("cricksy_pipeline.definitions", None, str(Path.cwd()), "cricksy_pipeline")
        self._context = opened.enter_context(WorkspaceProcessContext(instance, target))
        self._schema = create_schema()

    def ask(self, name: str, variables: dict[str, Any]) -> dict[str, Any]:
        """One query of a page. Raises SystemExit for an error, but for one of Dagster's own: see `DAGSTERS_FAULT`."""
        import asyncio

        answer = asyncio.run(
            self._schema.execute_async(ui_query(name), context_value=self._context.create_request_context(), variable_values=variables)
        )
        errors = [error for error in answer.errors or () if error.path[-1] != DAGSTERS_FAULT]
        if errors or not any(answer.data.values()):
            raise SystemExit(f"{name}: {errors or answer.data}")
        return answer.data

    def forget(self) -> None:
        """Dagster's cache of what is materialized is empty, as after an upgrade of it."""
        from sqlalchemy import create_engine

        with create_engine(self._context.instance.event_log_storage.postgres_url).begin() as connection:
            connection.execute(text("UPDATE asset_keys SET cached_status_data = NULL"))


_OLD = f"SELECT job_id FROM copy WHERE n >= {WAITING + AT_WORK} AND ended_at < now() - make_interval(secs => :days * 86400)"


def _token_of_owner(owner: tuple[str, str]) -> str:
    from cricksy_pipeline.reading.api.development import development_token

    kind, owner_id = owner
    if kind == "coach":
        return development_token(_SECRET, coach_id=owner_id, orgs=())
    return development_token(_SECRET, coach_id="coach-of-the-academy", orgs=(owner_id,))


def measure(machine: Machine, name: str, operation: Operation, partitions: int, state: str) -> Figure:
    """The median of its repetitions."""
    taken, repeats = [], REPEATS + operation.warm
    while len(taken) < repeats:
        operation.before()
        with machine.measure(name, 1) as measured:
            operation.do()
        operation.after()
        taken.append((measured.wall_s, measured.here_s, measured.postgres_s))
        if measured.wall_s > SLOW_S:
            repeats = min(repeats, SLOW_REPEATS + operation.warm)
        if measured.wall_s > VERY_SLOW_S:
            break
    kept = taken[operation.warm :] or taken
    return Figure(name, partitions, state, *(round(median(column), 4) for column in zip(*kept, strict=True)), len(kept))


def fill(settings: Settings, count: int) -> None:
    """In a process of its own, whose server writes without syncing: the one that is measured is started anew, and durable."""
    subprocess.run([sys.executable, "-m", "benchmarks.filled_database", str(settings.folder), str(count)], check=True)


@contextlib.contextmanager
def opened_stack(settings: Settings) -> Iterator[tuple[Operations, Machine]]:
    """The filled databases, open."""
    with contextlib.ExitStack() as opened:
        jobs, objects = stack.open_job_store(settings), stack.open_object_store(settings)
        opened.callback(jobs.engine.dispose)
        filled = FilledDatabase(settings, jobs, objects)
        filled.some_at_work()
        instance = opened.enter_context(dg.DagsterInstance.from_ref(instance_ref(settings)))
        yield Operations(settings, filled, instance, opened), Machine(settings.folder)


def main() -> None:
    """Fill, measure, write."""
    asked = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    asked.add_argument("--partitions", type=lambda given: [int(n) for n in given.split(",")], default=[1000, 10_000, 100_000])
    asked.add_argument("--folder", type=Path, help="data folder, which stays; a temporary one, removed at the end, where none is given")
    asked.add_argument("--only", nargs="+", default=[], help="operations whose name begins so")
    asked.add_argument("--archive", action="store_true", help="forget the old partitions in the end, and measure again")
    asked.add_argument("--plans", action="store_true", help="print the plans of our statements instead of measuring")
    asked.add_argument("--write", type=Path, help="a JSON file to which the figures are added")
    options = asked.parse_args()
    with settings_in(options.folder) as settings:
        figures: list[Figure] = []
        for count in options.partitions:
            fill(settings, count)
            stack.prepare_database(settings)
            with opened_stack(settings) as (operations, machine):
                if options.plans:
                    print_plans(operations, options.only)
                    continue
                figures += _round(operations, machine, options, count, STATES[0])
                if options.archive and count == options.partitions[-1]:
                    print(f"one round of forget_partitions: {operations.archive()}", flush=True)
                    print(f"an archived partition comes back with a backfill: {operations.an_archived_key_comes_back()}", flush=True)
                    figures += _round(operations, machine, options, count, STATES[1])
                    operations.forget_runs()
                    figures += _round(operations, machine, options, count, STATES[2])
        if options.write:
            known = json.loads(options.write.read_text()) if options.write.exists() else []
            options.write.write_text(json.dumps([*known, *map(asdict, figures)], indent=1) + "\n")


def _round(operations: Operations, machine: Machine, options: argparse.Namespace, count: int, state: str) -> list[Figure]:
    figures = []
    for name, operation in operations.all().items():
        if options.only and not name.startswith(tuple(options.only)):
            continue
        if state != STATES[0] and not (name.startswith("Dagster") or name in ASKED_OF_DAGSTER):
            continue
        one = measure(machine, name, operation, count, state)
        over = "" if one.cpu_s <= BUDGETS[name]["cpu_s"] else f"   OVER its budget of {BUDGETS[name]['cpu_s']:g}"
        print(f"{count:>7,} {name:<42} {one.wall_s:>9.3f} s  CPU {one.here_cpu_s:.3f} + {one.postgres_cpu_s:.3f}{over}", flush=True)
        figures.append(one)
    return figures


def print_plans(operations: Operations, only: list[str]) -> None:
    """What PostgreSQL makes of each of our statements, the tables that it reads from end to end first."""
    for name, operation in operations.all().items():
        if only and not name.startswith(tuple(only)):
            continue
        operation.before()
        for plan in operations.plans(operation):
            scanned = f"   READS ALL OF {', '.join(sorted(plan.scanned))}" if plan.scanned else ""
            print(f"\n== {name}: {plan.wall_ms:.1f} ms{scanned}\n{' '.join(plan.statement.split())[:1500]}\n{plan.text}", flush=True)
        operation.after()


if __name__ == "__main__":
    main()
