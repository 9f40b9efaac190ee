"""The accuracy corpus: films every condition, looks at it through the real passes, measures, and keeps each step by its content.

    python -m cricksy_pipeline_tests.truth.corpus            # everything that is missing, two processes
    python -m cricksy_pipeline_tests.truth.corpus --only drive --minutes 10

Belongs here: the caches and the run over them. Does not belong here: which conditions (`conditions`), what is written of one (`record`),
what follows from all of them (`fit`, `tables`).

The caches are keyed by what they were made from, so that a run can be killed at any time and a change costs what it must:
    truth: the condition and every file of the renderer;
    video: the clip's specification and where its player truly is (a change of the drawing alone films nothing anew);
    landmarks: the video, the mode, the networks, the versions of the rules of frames and landmarks, and an edition that is raised by hand
        while those rules are being written;
    record: the landmarks, and every file of the analysis and of this folder that measures and compares.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import pickle
import re
import resource
import sys
import time
import traceback
from collections.abc import Iterator
from dataclasses import MISSING, dataclass, fields, is_dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

from cricksy_pipeline.analysis.landmark_table import frame_table_from_parquet, frame_table_to_parquet, from_parquet, to_parquet
from cricksy_pipeline.analysis.metrics import accuracy
from cricksy_pipeline.analysis.model import PoseModel, ensure_model
from cricksy_pipeline.analysis.passes import AnalysisRequest, Footage, Look, Work, look_deeply, look_quickly
from cricksy_pipeline.analysis.pose import inspect_video
from cricksy_pipeline.analysis.sampling import plan_sampling
from cricksy_pipeline.analysis.subject import Subject
from cricksy_pipeline.analysis.versions import RULES
from cricksy_pipeline.sample.clip import ClipSpec, Truth, truth, write_clip
from cricksy_pipeline_tests.truth.conditions import Condition, conditions
from cricksy_pipeline_tests.truth.record import RECORD_FORMAT, record

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".cricksy" / "accuracy"
"""Where everything is kept unless told otherwise; not part of the repository."""

EDITION = "1"
"""Raised by hand where looks must be made again although the versions of the rules are the same."""


@dataclass(frozen=True)
class Kept:
    """What was seen in one clip and what is needed to describe it again."""

    work: Work
    look: Look


def run(
    folder: Path,
    chosen: list[Condition],
    *,
    workers: int,
    until_s: float | None,
    edition: str = EDITION,
    film_only: bool = False,
    uncalibrated: bool = False,
) -> list[dict[str, Any]]:
    """The records of the chosen conditions, made where they are missing; those not made in time are left out.

    Args:
        folder: of the caches. chosen: in the order to go through. workers: processes.
        until_s: `time.time()` after which nothing new is begun; None: no end.
        edition: see `EDITION`. film_only: draws the videos that are missing and looks at none.
        uncalibrated: measures as if there were no accuracy.toml, which is what `fit` must see: what it refused once would be gone for good.
    """
    for name in ("truth", "video", "landmarks", "record"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    ensure_model(ROOT / ".cricksy" / "models")
    work = [(str(folder), condition, edition, until_s, film_only, uncalibrated) for condition in chosen]
    records, failed, begun = [], 0, time.time()
    for done, made in enumerate(_spread(work, workers), start=1):
        if made is not None:
            records.append(made)
            failed += "error" in made
        left = (time.time() - begun) / done * (len(work) - done)
        if made is not None and (made.get("cpu_s", 0) > 0.5 or done % 50 == 0 or done == len(work)):
            what = made.get("error", f"{made.get('cpu_s', 0):.1f} CPU s")
            print(f"{done:4d}/{len(work)}  {failed} failed  {left / 60:5.1f} min left  {made['name']}: {what}", flush=True)
    return records


def _spread(work: list[tuple], workers: int) -> Iterator[dict[str, Any] | None]:
    if workers <= 1:
        yield from map(_one, work)
        return
    import multiprocessing

    with multiprocessing.get_context("spawn").Pool(workers, initializer=_settle) as pool:
        yield from pool.imap(_one, work)


def _settle() -> None:
    """A worker process: one thread, since the processes are the parallelism."""
    import cv2

    cv2.setNumThreads(1)


def _one(work: tuple[str, Condition, str, float | None, bool, bool]) -> dict[str, Any] | None:
    """The record of one condition; with `error` where it could not be made, None where there was no time."""
    folder, condition, edition, until_s, film_only, uncalibrated = work
    began = _cpu_s()
    try:
        known = _known(Path(folder), condition)
        specs = [one.spec for one in known]
        model = ensure_model(ROOT / ".cricksy" / "models")
        keys = [_video_key(spec, one) for spec, one in zip(specs, known, strict=True)]
        if film_only:
            if until_s is None or time.time() < until_s:
                for spec, key in zip(specs, keys, strict=True):
                    _filmed(spec, Path(folder) / "video" / f"{key}.mp4")
            return {"name": condition.name, "cpu_s": round(_cpu_s() - began, 2)}
        seen_keys = [_digest([key, condition.mode, condition.options, model.sha256, _look_rules(), edition]) for key in keys]
        made_from = [condition.name, condition.size, seen_keys, _code_digest(), RECORD_FORMAT, uncalibrated]
        path = Path(folder) / "record" / f"{_digest(made_from)}.json"
        if path.exists():
            return json.loads(path.read_text())
        looks = []
        for spec, key, seen_key in zip(specs, keys, seen_keys, strict=True):
            kept = Path(folder) / "landmarks" / seen_key
            if not (kept / "look.json").exists():
                if until_s is not None and time.time() > until_s:
                    return None
                video = _filmed(spec, Path(folder) / "video" / f"{key}.mp4")
                _keep(_looked_at(video, condition, model), kept)
            looks.append(_kept(kept, condition))
        with mock.patch.object(accuracy, "measured_errors", dict) if uncalibrated else contextlib.nullcontext():
            made = record(condition, known, looks)
        made["cpu_s"] = round(_cpu_s() - began, 2)
        _write(path, json.dumps(made).encode())
        return made
    except Exception as error:
        trace = traceback.format_exc().splitlines()
        return {"name": condition.name, "error": f"{type(error).__name__}: {error}", "trace": trace[-8:]}


# ------------------------------------------------------------------------------------------------------------------------ the steps


def _known(folder: Path, condition: Condition) -> list[Truth]:
    """The truth of each ball. Drawing the lot of a player takes longer than measuring him, so it is kept while the renderer stays."""
    path = folder / "truth" / f"{_digest([condition, _files_digest('sample')])}.pickle"
    if not path.exists():
        _write(path, pickle.dumps([truth(spec) for spec in condition.specs()]))
    return pickle.loads(path.read_bytes())


def _filmed(spec: ClipSpec, path: Path) -> Path:
    if not path.exists():
        partial = path.with_name(f".{path.stem}.{os.getpid()}.mp4")
        try:
            write_clip(spec, partial, workers=1)
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
            partial.with_suffix(".truth.json").unlink(missing_ok=True)
    return path


def _looked_at(video: Path, condition: Condition, model: PoseModel) -> Kept:
    index = inspect_video(video)
    work, footage = Work(index, plan_sampling(index), _request(condition)), Footage(video, model)
    quick = look_quickly(work, footage, workers=1, on_progress=lambda done, of: None)
    return Kept(work, look_deeply(work, footage, quick, workers=1, on_progress=lambda done, of: None))


def _request(condition: Condition) -> AnalysisRequest:
    return AnalysisRequest("job", condition.mode, 10.0, "0" * 64, "accuracy", "accuracy", options=condition.options)


def _keep(seen: Kept, folder: Path) -> None:
    """look.json comes last: where it is, the others are whole."""
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / "landmarks.parquet", to_parquet(seen.look.landmarks))
    _write(folder / "frames.parquet", frame_table_to_parquet(seen.work.index, seen.work.plan))
    look = {"subject": seen.look.subject.as_json(), "model": seen.look.model, "model_sha256": seen.look.model_sha256}
    _write(folder / "look.json", json.dumps(look).encode())


def _kept(folder: Path, condition: Condition) -> Kept:
    index, plan = frame_table_from_parquet((folder / "frames.parquet").read_bytes())
    look = json.loads((folder / "look.json").read_text())
    landmarks = from_parquet((folder / "landmarks.parquet").read_bytes())
    subject = Subject.from_json(look["subject"])
    return Kept(Work(index, plan, _request(condition)), Look(landmarks, subject, look["model"], look["model_sha256"]))


# ------------------------------------------------------------------------------------------------------------------------- the keys


def _video_key(spec: ClipSpec, known: Truth) -> str:
    place = hashlib.sha256(np.round(np.nan_to_num(known.px, nan=-1e6), 1).astype("<f4").tobytes()).hexdigest()
    return _digest([_told(spec), place])


def _told(value: Any) -> Any:
    """A dataclass as what differs from its defaults, so that a new field makes no old key new."""
    if is_dataclass(value):
        return {f.name: _told(getattr(value, f.name)) for f in fields(value) if getattr(value, f.name) != _default(f)}
    if isinstance(value, (list, tuple)):
        return [_told(v) for v in value]
    return str(value) if isinstance(value, Fraction) else value


def _default(field: Any) -> Any:
    if field.default is not MISSING:
        return field.default
    return field.default_factory() if field.default_factory is not MISSING else None


def _look_rules() -> list[str]:
    return [RULES["frames"], RULES["landmarks"]]


@cache
def _code_digest() -> str:
    """Over every file that measures: the analysis with its data, and what compares and records here."""
    own = [hashlib.sha256(Path(__file__).with_name(name).read_bytes()).hexdigest() for name in ("compare.py", "record.py")]
    return _digest([*own, _files_digest("analysis")])


@cache
def _files_digest(room: str) -> str:
    files = sorted(p for p in (ROOT / "cricksy_pipeline" / room).rglob("*") if p.suffix in (".py", ".toml"))
    return _digest([[str(p.relative_to(ROOT)), hashlib.sha256(p.read_bytes()).hexdigest()] for p in files])


def _digest(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=_told).encode()).hexdigest()[:20]


def _write(path: Path, data: bytes) -> None:
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.write_bytes(data)
    partial.replace(path)


def _cpu_s() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in used)


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("--only", default="", help="regular expression on the conditions' names and groups")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--minutes", type=float, help="begin nothing new after so many minutes")
    parser.add_argument("--most", type=int, help="only so many conditions")
    parser.add_argument("--edition", default=EDITION)
    parser.add_argument("--uncalibrated", action="store_true", help="as if there were no accuracy.toml; writes uncalibrated.json, for fit")
    parser.add_argument("--film-only", action="store_true", help="draw the videos that are missing, look at none")
    asked = parser.parse_args()
    chosen = [c for c in conditions() if re.search(asked.only, f"{c.group}: {c.name}")][: asked.most]
    until = None if asked.minutes is None else time.time() + 60 * asked.minutes
    how = {"edition": asked.edition, "film_only": asked.film_only, "uncalibrated": asked.uncalibrated}
    records = run(asked.folder, chosen, workers=asked.workers, until_s=until, **how)
    out = asked.folder / ("uncalibrated.json" if asked.uncalibrated else "records.json")
    if not asked.film_only:
        out.write_text(json.dumps(records))
    print(f"{len(records)} of {len(chosen)} conditions, {sum('error' in r for r in records)} with an error, in {out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
