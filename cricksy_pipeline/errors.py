"""The error codes that a job row, an API answer and the runbook share.

Belongs here: one exception class, and the catalogue of codes with what each means and whether trying again can help.
Does not belong here: how an error is recorded (`store.jobs`) or shown (`reading`). This module imports nothing of the project,
so every room may use it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal


class ErrorCode(StrEnum):
    """The value of `video_analysis_jobs.error_code`, or of `code` in an answer of the API. Each has an entry in docs/runbook.md; a test
    holds that.

    NOT_FOUND to LINK_EXPIRED and those after INTERNAL are about a request, and never in a row.
    """

    SOURCE_MISSING = "SOURCE_MISSING"
    SOURCE_CHANGED = "SOURCE_CHANGED"
    NOT_A_VIDEO = "NOT_A_VIDEO"
    NO_VIDEO_STREAM = "NO_VIDEO_STREAM"
    VIDEO_CORRUPT = "VIDEO_CORRUPT"
    VIDEO_TOO_LONG = "VIDEO_TOO_LONG"
    VIDEO_TOO_LARGE = "VIDEO_TOO_LARGE"
    MODE_MISSING = "MODE_MISSING"
    MODE_UNSUPPORTED = "MODE_UNSUPPORTED"
    OPTIONS_INVALID = "OPTIONS_INVALID"
    POSE_CRASHED = "POSE_CRASHED"
    GUARDRAIL_FAILED = "GUARDRAIL_FAILED"
    STORE_UNAVAILABLE = "STORE_UNAVAILABLE"
    DATABASE_UNAVAILABLE = "DATABASE_UNAVAILABLE"
    WORKER_LOST = "WORKER_LOST"
    CANCELED = "CANCELED"
    NOT_FOUND = "NOT_FOUND"
    REQUEST_INVALID = "REQUEST_INVALID"
    CONFLICT = "CONFLICT"
    UPLOAD_INCOMPLETE = "UPLOAD_INCOMPLETE"
    LINK_EXPIRED = "LINK_EXPIRED"
    INTERNAL = "INTERNAL"
    AUTH_REQUIRED = "AUTH_REQUIRED"
    RATE_LIMITED = "RATE_LIMITED"
    KEYS_UNAVAILABLE = "KEYS_UNAVAILABLE"


@dataclass(frozen=True)
class CodeFacts:
    """What is true of every error with one code.

    Attributes:
        transient: whether the same input may succeed later; permanent errors are never retried by machine.
        advice: what the coach or operator should do, one sentence.
        fault: whose it is. `input`: the upload, or what was said of it; `person`: somebody stopped it; `system`: ours, and only this wakes
            an owner (`alerting`).
    """

    transient: bool
    advice: str
    fault: Literal["input", "person", "system"] = "system"


CODE_FACTS: dict[ErrorCode, CodeFacts] = {
    ErrorCode.SOURCE_MISSING: CodeFacts(False, "Upload the video again.", "input"),
    ErrorCode.SOURCE_CHANGED: CodeFacts(False, "The file was replaced after the job was made; start a new analysis.", "input"),
    ErrorCode.NOT_A_VIDEO: CodeFacts(False, "Upload a video file (mp4, mov, mkv, webm or avi).", "input"),
    ErrorCode.NO_VIDEO_STREAM: CodeFacts(False, "The file holds no moving picture; export the video again and upload it.", "input"),
    ErrorCode.VIDEO_CORRUPT: CodeFacts(False, "The file is damaged or incomplete; upload the original again.", "input"),
    ErrorCode.VIDEO_TOO_LONG: CodeFacts(False, "Cut the video to the deliveries you want analysed.", "input"),
    ErrorCode.VIDEO_TOO_LARGE: CodeFacts(False, "Export the video at 1080p, or cut it shorter.", "input"),
    ErrorCode.MODE_MISSING: CodeFacts(False, "Say what was filmed: batting, bowling, wicketkeeping or fielding.", "input"),
    ErrorCode.MODE_UNSUPPORTED: CodeFacts(False, "Choose one of batting, bowling, wicketkeeping, fielding.", "input"),
    ErrorCode.OPTIONS_INVALID: CodeFacts(False, "Say the option that the message names again, or leave it out.", "input"),
    ErrorCode.POSE_CRASHED: CodeFacts(True, "Try again; if it happens twice with this file, report it."),
    ErrorCode.GUARDRAIL_FAILED: CodeFacts(False, "The results did not pass their checks and are not shown; see the failed guardrail."),
    ErrorCode.STORE_UNAVAILABLE: CodeFacts(True, "The object store did not answer; the job can be tried again."),
    ErrorCode.DATABASE_UNAVAILABLE: CodeFacts(True, "The database did not answer; the job can be tried again."),
    ErrorCode.WORKER_LOST: CodeFacts(True, "The machine that ran the analysis went away; try again."),
    ErrorCode.CANCELED: CodeFacts(False, "The run was stopped by a person; start it again when wanted.", "person"),
    ErrorCode.NOT_FOUND: CodeFacts(False, "Look at the address; what was deleted, or is another's, is not there.", "person"),
    ErrorCode.REQUEST_INVALID: CodeFacts(False, "Change the request as the message says.", "person"),
    ErrorCode.CONFLICT: CodeFacts(False, "Read the row again: it is not in the state that the request is for.", "person"),
    ErrorCode.UPLOAD_INCOMPLETE: CodeFacts(False, "Ask for the upload again, send the parts that are not there, and complete it.", "input"),
    ErrorCode.LINK_EXPIRED: CodeFacts(False, "Ask for the upload again: it comes with fresh links.", "person"),
    ErrorCode.INTERNAL: CodeFacts(False, "Not your video: a fault of ours. Report it with the job id."),
    ErrorCode.AUTH_REQUIRED: CodeFacts(False, "Sign in (again), or send a valid token.", "person"),
    ErrorCode.RATE_LIMITED: CodeFacts(True, "Wait as long as Retry-After says, then ask again.", "person"),
    ErrorCode.KEYS_UNAVAILABLE: CodeFacts(True, "The identity provider did not answer; try again in a minute."),
}


class CricksyError(Exception):
    """A failure with a code, in words meant for the person who has to act on it.

    Args:
        code: one of `ErrorCode`.
        message: what happened, in one sentence, without a stack trace.
    """

    def __init__(self, code: ErrorCode, message: str) -> None:
        super().__init__(message)
        self.code = ErrorCode(code)
        self.message = message

    @property
    def transient(self) -> bool:
        """Whether trying the same input again may succeed."""
        return CODE_FACTS[self.code].transient

    @property
    def advice(self) -> str:
        """What to do about it, one sentence."""
        return CODE_FACTS[self.code].advice

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"

    def __reduce__(self):
        return (type(self), (self.code, self.message))
