"""How fast the product is: against a straightforward worker, against what decoding and inference alone cost, against Dagster alone.

    python -m benchmarks.speed                             # `make bench`: all films, an hour or more
    python -m benchmarks.speed --only 720p --rounds 3      # the seed workload
    python -m benchmarks.speed --quick                     # a film of 60 s, one round, for trials

Belongs here: the order of the measurements and their record. Does not belong here: the parts that are measured (`product_run`,
`straightforward_worker`, `floors`), the clocks (`watched_process`), what is told of them (`speed_page`, `speed_plots`).

Every part runs in a fresh process, part after part, round after round, so that what else the machine does falls on all of them. The video
is in the object store and its row is queued before the clock starts; the clock stops when a reader sees `done`. PostgreSQL serves before
and after, as a deployment's does; its CPU is counted with the product's, and shown apart.
"""

from __future__ import annotations

import argparse
import compileall
import contextlib
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import psutil

from benchmarks import speed_page, speed_plots
from benchmarks.rules_only_backfill import tree_s
from benchmarks.seed_workload import FILMS, FOR_MEMORY, film
from benchmarks.speed_page import DECODE, EMPTY, INFERENCE, PARTS, PRODUCT, STRAIGHTFORWARD
from benchmarks.straightforward_worker import published_model
from benchmarks.watched_process import CLOSELY_S, EVERY_S, Watched, watch
from cricksy_pipeline.analysis.model import ensure_model
from cricksy_pipeline.settings import Settings
from cricksy_pipeline.store import embedded

HERE = Path(__file__).resolve().parent
RESULTS = HERE.parent / "docs" / "benchmarks"

MODE = "batting"
GRID_DONE_PCT = 84
"""Of the row's progress: four fifths of the way from 50 to 93, where the deep pass begins with its bursts."""

LONGEST_S = 4000
"""The product refuses videos of more than 15 minutes unless it is told otherwise."""


@dataclass(frozen=True)
class Series:
    """What is measured with one film, how often."""

    film: str
    rounds: int
    parts: tuple[str, ...]


ALL = (
    Series("720p", 3, PARTS),
    Series("1080p", 2, (PRODUCT, STRAIGHTFORWARD, DECODE, INFERENCE)),
    Series("4k", 2, (PRODUCT, STRAIGHTFORWARD, DECODE, INFERENCE)),
    Series("10s", 3, (PRODUCT, STRAIGHTFORWARD, DECODE, INFERENCE)),
    Series("30s", 1, (PRODUCT,)),
    Series("60min", 1, (PRODUCT,)),
)


class Stack:
    """The product of one working tree on a stack of its own.

    Args:
        folder: data folder.
        tree: root of the working tree whose code runs.
        models: cache of the model weights.
    """

    def __init__(self, folder: Path, tree: Path, models: Path) -> None:
        self._tree = tree
        # Compiled as an installed package is: where the shell forbids Python to keep what it compiles, each process would do it again.
        compileall.compile_dir(tree / "cricksy_pipeline", quiet=1)
        self.env = {name: value for name, value in os.environ.items() if not name.startswith(("CRICKSY_", "DAGSTER_"))} | {
            "PYTHONPATH": str(tree),
            "CRICKSY_DATA_DIR": str(folder),
            "CRICKSY_MODEL_DIR": str(models),
            "CRICKSY_MAX_VIDEO_SECONDS": str(LONGEST_S),
        }
        self._server = embedded.start(folder / "postgres")
        self._postmaster = psutil.Process(int((folder / "postgres" / "postmaster.pid").read_text().split()[0]))
        self._call("prepare")

    def close(self) -> None:
        """The server ends with its last user."""
        self._server.stop()

    def postgres_s(self) -> float:
        """CPU of the database server so far."""
        return tree_s(self._postmaster)

    def analyse(self, video: Path, every_s: float = EVERY_S) -> dict[str, Any]:
        """One video from object to `done`."""
        job_id = self._call("submit", str(video), MODE).strip()
        reader = subprocess.Popen(
            self._command("watch", job_id), env=self.env, cwd=self._tree, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True
        )
        try:
            reader.stdout.readline()  # it looks
            before = self.postgres_s()
            watched = watch(self._command("run", job_id), env=self.env, cwd=self._tree, every_s=every_s)
            postgres_s = self.postgres_s() - before
            seen = [json.loads(line) for line in reader.communicate(timeout=60)[0].splitlines()]
        finally:
            reader.kill()
            reader.wait()
        if seen[-1]["status"] != "done":
            raise RuntimeError(f"the analysis ended {seen[-1]['status']}")
        story = json.loads(self._call("story", job_id))
        readable = next(line["at"] for line in seen if line["readable"])
        return {
            **_costs(watched),
            "process_wall_s": watched.wall_s,
            "wall_s": seen[-1]["at"] - watched.began,
            "quick_s": readable - watched.began,
            "quick_of_run_s": readable - story["started"],
            "postgres_cpu_s": postgres_s,
            "phases": _phases(watched, story["steps"], seen),
            "frames": story["frames"],
            "run": [job_id, story["run_id"]],
        }

    def _command(self, *words: str) -> list[str]:
        return [sys.executable, str(HERE / "product_run.py"), *words]

    def _call(self, *words: str) -> str:
        done = subprocess.run(self._command(*words), env=self.env, cwd=self._tree, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{words[0]} failed: {done.stderr[-2000:]}")
        return done.stdout


def _phases(watched: Watched, steps: dict[str, dict[str, Any]], seen: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """(name, seconds after the start, wall, CPU) of the parts of a run, in order; a step lasts until the next begins.

    Passes are cut where their progress begins and ends; the deep one also where the row says that its grid is done.
    """
    borders = [("start", watched.began)]
    for step, told in sorted(steps.items(), key=lambda item: item[1]["began"]):
        looks = told["looks"]
        borders.append((f"{step}: before looking" if looks else step, told["began"]))
        if looks:
            grid = (
                next((line["at"] for line in seen if line["progress"] >= GRID_DONE_PCT), looks[-1]) if step == "deep_results" else looks[-1]
            )
            borders.append((f"{step}: grid", looks[0]))
            if grid < looks[-1]:
                borders.append((f"{step}: bursts", grid))
            borders.append((f"{step}: describing", looks[-1]))
    borders += [("end", max(told["ended"] for told in steps.values())), ("", watched.began + watched.wall_s)]
    phases = []
    for (name, at), (_, until) in pairwise(borders):
        if until > at:
            cpu_s = watched.cpu_until(until) - watched.cpu_until(at)
            phases.append({"name": name, "at_s": round(at - watched.began, 2), "wall_s": round(until - at, 2), "cpu_s": round(cpu_s, 2)})
    return phases


def _costs(watched: Watched) -> dict[str, float]:
    names = ("wall_s", "cpu_s", "peak_mb", "largest_mb")
    return {name: round(getattr(watched, name), 3) for name in names}


class Bench:
    """All that is measured, and its record on disk, written anew after each part: what was measured is not lost."""

    def __init__(self, folder: Path, trees: dict[str, Path], record: Path, *, added: bool) -> None:
        settings = Settings()
        self._record_path, self._folder = record, folder
        self._model = ensure_model(settings.models)
        self._published = published_model(settings.folder / "bench")
        self._opened = contextlib.ExitStack()
        self._stacks = {name: Stack(folder / name, tree, settings.models.resolve()) for name, tree in trees.items()}
        for stack in self._stacks.values():
            self._opened.callback(stack.close)
        self.record: dict[str, Any] = {
            "began": time.strftime("%Y-%m-%d %H:%M"),
            "machine": _machine(),
            "trees": {name: _commit(tree) for name, tree in trees.items()},
            "films": {},
            "runs": [],
        }
        if added:
            begun = json.loads(record.read_text())
            if begun["trees"] != self.record["trees"]:
                raise ValueError(f"the record is of {begun['trees']}, what is to be measured now is {self.record['trees']}")
            self.record = begun

    def close(self) -> None:
        """Servers are stopped."""
        self._opened.close()

    def measure(self, series: Series) -> None:
        """So many rounds of all parts."""
        video = film(series.film)
        self.record["films"][series.film] = {**asdict(FILMS[series.film]), "bytes": video.stat().st_size}
        stacks = self._stacks if STRAIGHTFORWARD in series.parts else {PRODUCT: self._stacks[PRODUCT]}
        every_s = CLOSELY_S if series.film in FOR_MEMORY else EVERY_S
        last: list[str] = []
        for number in range(series.rounds):
            for part in series.parts:
                for name, measured in self._part(part, video.resolve(), every_s, last, stacks):
                    last = measured.get("run", last)
                    load = [round(value, 2) for value in os.getloadavg()[:2]]
                    entry = {"film": series.film, "part": name, "round": number, "load": load, **measured}
                    self.record["runs"].append(entry)
                    self._record_path.write_text(json.dumps(self.record, indent=1) + "\n")
                    said = " ".join(f"{key}={entry[key]:.1f}" for key in ("wall_s", "cpu_s", "quick_s", "peak_mb") if key in entry)
                    print(f"{series.film} round {number + 1} {name}: {said} load={load[0]}", flush=True)

    def _part(
        self, part: str, video: Path, every_s: float, last: list[str], stacks: dict[str, Stack]
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        stack = self._stacks[PRODUCT]
        if part == PRODUCT:
            for name, each in reversed(stacks.items()):  # the present tree last: its run is the one that is echoed
                yield name, each.analyse(video, every_s)
        elif part == STRAIGHTFORWARD:
            out = self._folder / "straightforward.json"
            yield part, _module(stack, "straightforward_worker", video, self._published, out)
        elif part == EMPTY:
            before = stack.postgres_s()
            measured = _module(stack, "floors", "empty", *last)
            yield part, {**measured, "postgres_cpu_s": stack.postgres_s() - before}
        else:
            yield part, _module(stack, "floors", part, video, *([self._model.path.resolve()] if part == INFERENCE else []))


def _module(stack: Stack, module: str, *words: object) -> dict[str, Any]:
    watched = watch([sys.executable, str(HERE / f"{module}.py"), *map(str, words)], env=stack.env)
    return {**_costs(watched), **json.loads(watched.out.splitlines()[-1])}


def _machine() -> dict[str, Any]:
    model = next((line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line), "")
    return {
        "cores": len(os.sched_getaffinity(0)),
        "processor": model,
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "python": platform.python_version(),
    }


def _commit(tree: Path) -> str:
    """The last commit that changed the product."""
    said = [
        subprocess.run(["git", "-C", str(tree), *words], capture_output=True, text=True, check=False).stdout.strip()
        for words in (["log", "-1", "--format=%h", "--", "cricksy_pipeline"], ["status", "--porcelain", "--", "cricksy_pipeline"])
    ]
    return said[0] + (" with changes" if said[1] else "")


def main() -> None:
    """Measure, then write the record, the page and the plots."""
    asked = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    asked.add_argument("--only", choices=list(FILMS), action="append", help="this film only; may be said several times")
    asked.add_argument("--rounds", type=int, help="instead of two or three")
    asked.add_argument("--parts", nargs="+", choices=PARTS, help="these parts only")
    asked.add_argument("--quick", action="store_true", help="the 60 s film, one round")
    asked.add_argument("--tree", type=Path, default=HERE.parent, help="the working tree whose product is measured, instead of this one")
    asked.add_argument("--beside", metavar="NAME=PATH", action="append", default=[], help="another working tree, measured wherever (a) is")
    asked.add_argument("--record", type=Path, help="where the figures go; docs/benchmarks/speed-DATE.json where nothing is said")
    asked.add_argument("--add", action="store_true", help="to a record that was begun with the same code, not in its place")
    asked.add_argument("--no-page", action="store_true", help="leave docs/benchmarks/speed.md and the plots as they are")
    options = asked.parse_args()
    plan = [Series("60s", 1, PARTS)] if options.quick else [series for series in ALL if not options.only or series.film in options.only]
    plan += [Series(name, 1, PARTS) for name in options.only or () if name not in {series.film for series in ALL}]
    RESULTS.mkdir(parents=True, exist_ok=True)
    record = options.record or RESULTS / f"speed-{time.strftime('%Y-%m-%d')}.json"
    trees = {PRODUCT: options.tree.resolve()} | {
        name: Path(path).resolve() for name, _, path in (each.partition("=") for each in options.beside)
    }
    with tempfile.TemporaryDirectory(prefix="cricksy-speed-") as folder:
        Path(folder).chmod(0o755)  # the embedded server runs as a user of its own
        bench = Bench(Path(folder), trees, record, added=options.add)
        with contextlib.closing(bench):
            for series in plan:
                parts = tuple(part for part in series.parts if not options.parts or part in options.parts)
                bench.measure(Series(series.film, options.rounds or series.rounds, parts))
    print(speed_page.tables(bench.record))
    if not options.no_page:
        speed_page.write(bench.record, RESULTS / "speed.md")
        speed_plots.draw(bench.record, RESULTS / "speed-before.json", RESULTS.parent / "pictures")


if __name__ == "__main__":
    main()
