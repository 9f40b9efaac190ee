"""A partition's story at a glance: every stage with its time, what was kept of earlier attempts and what was made anew, and the attempts.

Belongs here: reading it out of the row, and the markdown tables. Does not belong here: what is kept (`keeping`), what a stage
costs (`cost`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cricksy_pipeline.orchestration.links import run_path
from cricksy_pipeline.store.models import VideoAnalysisJob

STAGES = ("frames", "quick_results", "deep_results", "findings", "report")
LANDMARKS = {"quick_results": "quick_landmarks", "deep_results": "deep_landmarks"}
"""The passes that have landmarks, which outlive rules: they may be kept where the rest of the pass is made anew."""

ATTEMPTS_SHOWN = 4
"""Attempts in the table of attempts, the newest. More would be folded away with the table."""

WORDS_OF_ERROR = 48
"""Characters of an error that the table of attempts shows; the row has all of it."""


@dataclass(frozen=True)
class Chapter:
    """One stage of the story.

    Attributes:
        seconds, cpu_s: what it cost when it was made, wall and CPU; None: never made (a quick-only job), or not recorded.
        made_in: the attempt that made it; None: never made.
        what: `made`, `kept`, `made, landmarks kept`, `not reached` by the present attempt, or `not asked for`.
        run_id: of the run that made it.
    """

    stage: str
    seconds: float | None
    cpu_s: float | None
    made_in: int | None
    what: str
    run_id: str | None

    @property
    def words(self) -> str:
        """What became of it, with the attempt where that was an earlier one."""
        if self.what == "kept":
            return f"kept from attempt {self.made_in}"
        return f"not reached; there is attempt {self.made_in}'s" if self.what == "not reached" else self.what


def chapters(stages: Mapping[str, Any] | None, attempt: int) -> list[Chapter]:
    """The story so far of a row's `stages`, as seen from its present attempt."""
    records = stages or {}
    return [_chapter(name, records.get(name), records.get(LANDMARKS.get(name, "")), attempt) for name in STAGES]


def _chapter(name: str, record: Mapping[str, Any] | None, landmarks: Mapping[str, Any] | None, attempt: int) -> Chapter:
    if record is None:
        return Chapter(name, None, None, None, "not asked for", None)
    if record["attempt"] != attempt:
        what = "not reached"
    elif record["made_in"] != attempt:
        what = "kept"
    elif landmarks is not None and landmarks["made_in"] != attempt:
        what = "made, landmarks kept"
    else:
        what = "made"
    return Chapter(name, record.get("seconds"), record.get("cpu_s"), record["made_in"], what, record["run_id"])


def story_table(row: VideoAnalysisJob, now_seconds: float, now_cpu_s: float) -> str:
    """The story as one markdown table.

    Args:
        row: the finished row.
        now_seconds, now_cpu_s: what the proof of completion, which the row does not record, cost.
    """
    told = [
        *chapters(row.stages, row.attempt),
        Chapter("completed_analysis", now_seconds, now_cpu_s, row.attempt, "proven", row.dagster_run_id),
    ]
    runs = list(dict.fromkeys(each.run_id for each in told if each.run_id))
    lines = ["| stage | s | CPU s | this attempt | made in | run |", "|---|--:|--:|---|--:|---|"]
    for each in told:
        run = f"[{each.run_id[:8]}][{runs.index(each.run_id) + 1}]" if each.run_id else "–"
        made_in = "–" if each.made_in is None else each.made_in
        lines.append(f"| {each.stage} | {_seconds(each.seconds)} | {_seconds(each.cpu_s)} | {each.what} | {made_in} | {run} |")
    spent = [each for each in told if each.what.startswith(("made", "proven"))]
    lines.append(f"| **this attempt** | **{_sum(spent, 'seconds')}** | **{_sum(spent, 'cpu_s')}** | | {row.attempt} | |")
    # Reference links: an address is written once, so that the table stays short enough to be shown and not folded away.
    return "\n".join([*lines, "", *(f"[{n}]: {run_path(run)}" for n, run in enumerate(runs, 1))])


def attempts_table(attempts: Sequence[Any]) -> str:
    """The newest attempts as a markdown table. `attempts`: rows of `JobStore.last_attempts`, newest first."""
    lines = ["| attempt | began (UTC) | took | ended | why |", "|--:|---|--:|---|---|"]
    for each in attempts[:ATTEMPTS_SHOWN]:
        took = f"{(each.ended_at - each.started_at).total_seconds():.0f} s" if each.ended_at else "–"
        why = f"{each.error_code}: {_one_line(each.error_message)}" if each.error_code else ""
        began = each.started_at.strftime("%Y-%m-%d %H:%M:%S")
        number = f"[{each.attempt}]({run_path(each.run_id)})" if each.run_id else each.attempt
        lines.append(f"| {number} | {began} | {took} | {each.outcome or 'running'} | {why} |")
    if len(attempts) > ATTEMPTS_SHOWN:
        lines.append(f"| | and {len(attempts) - ATTEMPTS_SHOWN} earlier | | | |")
    return "\n".join(lines)


def _one_line(text: str | None) -> str:
    """A beginning of a message that cannot break the table it stands in."""
    flat = " ".join((text or "").split()).replace("|", "/")
    return flat if len(flat) <= WORDS_OF_ERROR else flat[: WORDS_OF_ERROR - 1] + "…"


def _seconds(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _sum(told: Iterable[Chapter], name: str) -> str:
    return _seconds(sum(getattr(each, name) or 0.0 for each in told))
