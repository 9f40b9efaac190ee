"""How an analysis stands, in a coach's words: the label in a list, and the notice above a result.

Belongs here: row -> words and what can be done about it. Does not belong here: the result itself (`analysis_view`), doing it (the API).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from cricksy_pipeline.errors import CODE_FACTS, ErrorCode
from cricksy_pipeline.store.models import JobStatus

MODES = (("batting", "Batting"), ("bowling", "Bowling"), ("wicketkeeping", "Wicketkeeping"), ("fielding", "Fielding"))
STAGES = (("QUEUED", "In the queue"), ("QUICK", "First look"), ("DEEP", "Every ball"), ("DONE", "Done"))
STAGE_WORDS = {
    "AWAITING_UPLOAD": "waiting for the video",
    "QUEUED": "waiting for a worker",
    "QUICK": "looking at the first 30 seconds",
    "QUICK_DONE": "first look done",
    "DEEP": "looking at every ball",
    "DONE": "done",
    "FAILED": "failed",
}


class Standing(Protocol):
    """What is asked of a row: a whole one, or a line of a list."""

    id: str
    status: Any
    stage: str | None
    progress_pct: int
    analysis_mode: str | None
    error_code: str | None
    error_message: str | None


@dataclass(frozen=True)
class State:
    """Where a job stands. `tone`: quiet, live, good or bad. `progress` in per cent; None where nothing is under way."""

    name: str
    label: str
    tone: str
    progress: int | None = None


@dataclass(frozen=True)
class Action:
    """Something to do about it: a page to go to, or an API address to POST to with a JSON body."""

    label: str
    href: str = ""
    post: str = ""
    body: str = ""


@dataclass(frozen=True)
class Notice:
    """What stands above the result. `stages`: (name, label, done|now|to come). `modes` asks what was filmed before the retry."""

    eyebrow: str
    title: str
    lines: tuple[str, ...]
    tone: str
    progress: int | None = None
    stage: str = ""
    stages: tuple[tuple[str, str, str], ...] = ()
    actions: tuple[Action, ...] = ()
    modes: tuple[tuple[str, str], ...] = ()
    code: str = ""


def state_of(job: Standing) -> State:
    """The state by the row's status."""
    share = min(99, max(0, job.progress_pct or 0))
    match job.status:
        case JobStatus.AWAITING_UPLOAD:
            return State("awaiting", "Upload not finished", "quiet")
        case JobStatus.QUEUED:
            return State("queued", "In the queue", "live", share)
        case JobStatus.QUICK_RUNNING | JobStatus.PROCESSING:
            return State("running", "First look", "live", share)
        case JobStatus.QUICK_DONE | JobStatus.DEEP_RUNNING:
            return State("preliminary", "First look ready", "live", share)
        case JobStatus.DONE:
            return State("done", "Done", "good")
        case JobStatus.COMPLETED:
            return State("legacy", "Earlier system", "quiet")
        case _:
            return State("failed", "Failed", "bad")


def notice_of(job: Standing, *, api: str, first_look: bool, replaced: bool, readable: bool) -> Notice | None:
    """The notice; None above a finished analysis.

    Args:
        api: address of the job in the API.
        first_look: the first look can be read below.
        replaced: the analysis below is an earlier one, which a new one is about to replace.
        readable: the documents are of this system, not of the earlier one.
    """
    state = state_of(job)
    if state.name == "failed":
        return _failed(job, api, first_look=first_look, replaced=replaced)
    if state.name == "awaiting":
        go_on = Action("Go on with the upload", "/upload")
        return Notice(
            "Upload", "The video is not here yet", ("Its upload was not finished. Choose the same file again.",), "", actions=(go_on,)
        )
    if state.progress is not None:
        return _under_way(job, state, first_look=first_look, replaced=replaced)
    if not readable:
        again = (Action("Analyse it again", post=f"{api}/analyses", body="{}"),) if job.analysis_mode else ()
        why = "It says what was found, without intervals, without moments in the video, and in the words of then."
        return Notice("From before", "This was analysed by an earlier version", (why,), "", actions=again)
    return None


def stages_of(job: Standing) -> tuple[tuple[str, str, str], ...]:
    """(name, label, done|now|to come) of each stage."""
    now = {"QUICK_DONE": "DEEP", None: "QUEUED"}.get(job.stage, job.stage)
    names = [name for name, _ in STAGES]
    at = names.index(now) if now in names else 0
    return tuple((name, label, "done" if i < at else "now" if i == at else "to come") for i, (name, label) in enumerate(STAGES))


def _under_way(job: Standing, state: State, *, first_look: bool, replaced: bool) -> Notice:
    if replaced:
        told = ("A new analysis", "This video is being analysed again", ("Until that is done you read the earlier analysis below.",))
    elif first_look:
        told = (
            "First look",
            "This is preliminary",
            ("It is of the first 30 seconds. Every ball is being looked at now, and what stands below may still change.",),
        )
    elif state.name == "queued":
        told = ("In the queue", "Your video is here", ("The analysis starts in a moment. You may close this page and come back.",))
    else:
        told = (
            "Under way",
            "Looking at your video",
            ("The first look comes first, then every ball. You may close this page and come back.",),
        )
    return Notice(
        *told,
        tone="live",
        progress=state.progress,
        stage=STAGE_WORDS.get(job.stage or "QUEUED", ""),
        stages=stages_of(job),
    )


def _failed(job: Standing, api: str, *, first_look: bool, replaced: bool) -> Notice:
    known = job.error_code in ErrorCode.__members__
    facts = CODE_FACTS[ErrorCode(job.error_code)] if known else CODE_FACTS[ErrorCode.INTERNAL]
    # Not `error_message` where the fault is ours: it is for engineers, and stands in the row.
    happened = job.error_message if facts.fault != "system" and job.error_message else _OURS.get(str(job.error_code), "")
    lines = [line for line in (happened, facts.advice) if line]
    if first_look:
        lines.append("The first look did work, and stands below.")
    elif replaced:
        lines.append("The earlier analysis stands below, unchanged.")
    retry = Action("Try again", post=f"{api}/retry", body="{}")
    upload = Action("Upload another video", "/upload")
    asks = job.error_code in (ErrorCode.MODE_MISSING, ErrorCode.MODE_UNSUPPORTED)
    title = (
        "Say what was filmed" if asks else "This video could not be analysed" if facts.fault == "input" else "The analysis did not finish"
    )
    return Notice(
        "Stopped" if facts.fault == "person" else "Failed",
        title,
        tuple(lines),
        "bad",
        actions=(upload, retry) if facts.fault == "input" and not asks else (retry,),
        modes=MODES if asks else (),
        code=f"{job.error_code or 'INTERNAL'}, job {job.id}",
    )


_OURS = {ErrorCode.POSE_CRASHED: "Finding the body in the pictures broke off."}
"""What happened, where the row's own message is for engineers and the advice does not say it."""
