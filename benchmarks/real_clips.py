"""Both passes over every clip of a folder: a strip of stills, the report page and one table for all, to be looked at by a person.

    python -m benchmarks.real_clips FOLDER OUT [--only NAME ...]

Belongs here: running and writing. Does not belong here: any expectation; what is wrong in a strip is said by whoever looks at it. The
mode is in the file's name (`bowl-...`, `keep-...`, `field-...`), else batting. Landmarks are kept under OUT/landmarks and used again as
long as the file, the networks and the rules of looking are the same, so that a change of measuring rules costs seconds.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import time
from pathlib import Path

from cricksy_pipeline.analysis.documents import AnalysisMode, AnalysisResults, PoseSummary
from cricksy_pipeline.analysis.landmark_table import from_parquet, to_parquet
from cricksy_pipeline.analysis.model import PoseModel
from cricksy_pipeline.analysis.passes import (
    AnalysisRequest,
    Footage,
    Look,
    Work,
    deep_document,
    findings_of,
    look_deeply,
    look_quickly,
    report_of,
    stored_look,
)
from cricksy_pipeline.analysis.pose import inspect_video
from cricksy_pipeline.analysis.sampling import plan_sampling
from cricksy_pipeline.analysis.versions import stage_inputs
from cricksy_pipeline.orchestration.moments_strip import moments_strip, planned_strip
from cricksy_pipeline.reading.notation import clock, value_with_interval, words
from cricksy_pipeline.reading.report.heading import Heading
from cricksy_pipeline.reading.report.html import render_report_html
from cricksy_pipeline.settings import Settings
from cricksy_pipeline.stack import open_pose_model

MODES = {"bowl": AnalysisMode.BOWLING, "keep": AnalysisMode.WICKETKEEPING, "field": AnalysisMode.FIELDING}
SUFFIXES = (".mp4", ".mov", ".m4v")


def main() -> None:
    """Analyse every clip of the folder; write strips, pages and `clips.md`."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("folder", type=Path)
    asked.add_argument("out", type=Path)
    asked.add_argument("--only", nargs="*", default=[], help="Stems of the clips to take.")
    asked.add_argument("--workers", type=int, default=1)
    given = asked.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    model = open_pose_model(Settings())
    parts = []
    for video in sorted(path for path in given.folder.iterdir() if path.suffix in SUFFIXES):
        if not given.only or video.stem in given.only:
            parts.append(one_clip(video, given.out, model, given.workers))
            (given.out / "clips.md").write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def one_clip(video: Path, out: Path, model: PoseModel, workers: int) -> str:
    """Analyse one clip; write its strip and page; return its part of the table."""
    mode = next((mode for name, mode in MODES.items() if video.stem.startswith(name)), AnalysisMode.BATTING)
    began, cpu = time.monotonic(), time.process_time()
    work = _work(video, mode)
    look, kept = _look(video, work, model, out / "landmarks", workers)
    document = deep_document(work, look)
    findings = findings_of(document)
    document = document.model_copy(update={"findings": findings, "report": report_of(document, findings)})
    strip = moments_strip(work, planned_strip(look, document), Footage(video, model))
    (out / f"{video.stem}.png").write_bytes(strip)
    page = render_report_html(
        results=document,
        findings=findings,
        report=document.report,
        heading=Heading(video.stem, "real-clips"),
        player_png=None,
        strip_png=strip,
    )
    (out / f"{video.stem}.html").write_text(page, encoding="utf-8")
    (out / f"{video.stem}.json").write_text(json.dumps(document.model_dump(mode="json")), encoding="utf-8")
    took = f"{time.monotonic() - began:.1f} s, {time.process_time() - cpu:.1f} CPU s in this process{', landmarks kept' if kept else ''}"
    print(f"{video.stem}: {len(document.metrics.deliveries)} deliveries, {took}", flush=True)
    return in_markdown(video.stem, document)


def _work(video: Path, mode: AnalysisMode) -> Work:
    digest = hashlib.sha256(video.read_bytes()).hexdigest()
    index = inspect_video(video)
    return Work(index, plan_sampling(index), AnalysisRequest(video.stem, mode, 10.0, digest, "real-clips", "real-clips"))


def _look(video: Path, work: Work, model: PoseModel, folder: Path, workers: int) -> tuple[Look, bool]:
    """The deep look, from the folder where it was kept; and whether it was."""
    inputs = stage_inputs(
        source_sha256=work.request.source_sha256, mode=work.request.mode, sample_fps=10.0, model=f"{model.variant} {model.sha256}",
        include_frames=False,
    )  # fmt: skip
    name = folder / f"{video.stem}-{hashlib.sha256(inputs['deep_landmarks'].encode()).hexdigest()[:12]}"
    table, summary = name.with_suffix(".parquet"), name.with_suffix(".json")
    if table.exists() and summary.exists():
        kept = PoseSummary.model_validate_json(summary.read_text(encoding="utf-8"))
        return stored_look(from_parquet(table.read_bytes()), kept), True
    footage = Footage(video, model)
    quick = look_quickly(work, footage, workers=workers, on_progress=lambda done, of: None)
    look = look_deeply(work, footage, quick, workers=workers, on_progress=lambda done, of: None)
    folder.mkdir(parents=True, exist_ok=True)
    table.write_bytes(to_parquet(look.landmarks))
    summary.write_text(deep_document(work, look).pose_summary.model_dump_json(), encoding="utf-8")
    return look, False


def in_markdown(name: str, document: AnalysisResults) -> str:
    """Events, metrics with intervals, findings and doubts of one clip."""
    pose, block, findings = document.pose_summary, document.metrics, document.findings
    summary = block.summary
    lines = [
        f"## {name}",
        f"{document.meta.analysis_mode.value}, {pose.width} x {pose.height}, {pose.video_fps or 0:.2f} fps, {pose.duration_s:.2f} s; "
        f"player found in {pose.detection_rate_percent:.0f} %; view {summary.get('view')} "
        f"({summary.get('view_off_side_deg')} degrees off the side); "
        f"{len(block.deliveries)} deliveries, {summary.get('deliveries_excluded')} left out.",
    ]
    if block.deliveries:
        lines += ["", "| ball | event | time | ± 95 % | frame |", "|---|---|---|---|---|"]
        lines += [
            f"| {ball.delivery} | {words(event.name)} | {clock(event.t_s)} | {1.96 * event.sigma_s:.3f} s | {event.frame} |"
            for ball in block.deliveries
            for event in ball.events
        ]
    read = [metric for metric in block.metrics.values() if metric.value is not None or metric.category]
    if read:
        lines += ["", "| metric | value, 95 % | chance in band | n |", "|---|---|---|---|"]
    for metric in read:
        value = value_with_interval(metric.value, metric.ci95, metric.unit) if metric.value is not None else ""
        chance = f"{metric.score:.2f}" if metric.score is not None and metric.judged else "-"
        lines.append(
            f"| {metric.code} {metric.label} | {' '.join(part for part in (value, metric.category) if part)} | {chance} | {metric.n} |"
        )
    missing = [f"{metric.code} {metric.reason_code}" for metric in block.metrics.values() if metric.value is None and metric.code]
    if missing:
        lines += ["", f"Not measured: {', '.join(missing)}."]
    if findings is not None:
        found = [f"{finding.code} ({finding.severity})" for finding in findings.findings]
        watched = [f"{watch.code} ({watch.probability_outside:.2f})" for watch in findings.watch]
        lines += [
            "",
            f"Findings: {', '.join(found) or 'none'}. Watch: {', '.join(watched) or 'none'}. {' '.join(findings.confidence_reasons)}",
        ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
