"""Every rule about object keys, in one place.

Belongs here: how a key is made and taken apart. Does not belong here: reading or writing what lies there (`objects`).

    coach_plus/{coach|org}/{owner_id}/{session_id}/{video_id}/original.mp4          the upload
    coach_plus/{coach|org}/{owner_id}/{session_id}/{video_id}/analysis/{job_id}/... the outputs of one job over it
    .../analysis/{job_id}/attempt-2/...                                             the outputs of its second attempt, and so on
    uploads/{any/folders}/clip.mp4                                                  a video dropped in by hand; a folder may name the mode

The job id is in every output key, so two jobs over one upload never overwrite each other; from the second attempt on, so is the attempt:
a run that lost its job to a newer one may still be writing, and must not write over what a reader reads. A key is data from outside:
nothing here, and no store, lets one name a place outside its bucket.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from enum import StrEnum

UPLOAD_ROOT = "coach_plus"
DROP_ROOT = "uploads"
UPLOAD_PREFIXES: tuple[str, ...] = (f"{UPLOAD_ROOT}/", f"{DROP_ROOT}/")
"""Where uploads lie: what starts so is looked at by the sensor."""
VIDEO_SUFFIXES: tuple[str, ...] = (".mp4", ".mov", ".m4v", ".mkv", ".webm", ".avi", ".mts", ".3gp")
MAX_KEY_LENGTH = 500
"""The length of the key columns; S3 allows 1024 bytes."""

# `clip.mp4.json` says how to analyse `clip.mp4`; browsers and copying tools name what they have not finished.
_BESIDE = (".json", ".part", ".partial", ".crdownload", ".download", ".tmp")
_UNSAFE = re.compile(r"[\\\x00-\x1f\x7f]")
_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+=-]{0,127}")


class Output(StrEnum):
    """The name of each object that an analysis leaves."""

    FRAMES = "frames.parquet"
    QUICK_FRAMES = "quick_frames.parquet"
    QUICK_RESULTS = "quick_results.json"
    DEEP_FRAMES = "deep_frames.parquet"
    DEEP_FRAMES_JSON = "deep_frames.json"
    DEEP_RESULTS = "deep_results.json"
    FINDINGS = "findings.json"
    REPORT = "report.json"
    REPORT_HTML = "report.html"
    REPORT_PDF = "report.pdf"
    METRICS_CSV = "metrics.csv"
    LANDMARKS_TRC = "landmarks.trc"
    OVERLAY = "overlay.mp4"
    QUICK_REPORT_HTML = "quick_report.html"
    QUICK_PLAYER_IMAGE = "quick_player.png"
    QUICK_METRICS_IMAGE = "quick_metrics.png"
    PLAYER_IMAGE = "player.png"
    METRICS_IMAGE = "metrics.png"
    DEEP_MOMENTS_IMAGE = "moments.png"

    @property
    def content_type(self) -> str:
        """The media type that the object is served with."""
        return content_type_of(self.value)


def pass_of(output: Output) -> str | None:
    """`quick` or `deep`: the pass of which an output tells. None for the frame table, which tells of the file."""
    return None if output is Output.FRAMES else "quick" if output.value.startswith("quick_") else "deep"


_CONTENT_TYPES = {
    ".json": "application/json",
    ".html": "text/html; charset=utf-8",
    ".pdf": "application/pdf",
    ".csv": "text/csv; charset=utf-8",
    ".trc": "text/tab-separated-values; charset=utf-8",
    ".png": "image/png",
    ".parquet": "application/vnd.apache.parquet",
    ".mp4": "video/mp4",
    ".m4v": "video/mp4",
    ".mov": "video/quicktime",
    ".mkv": "video/x-matroska",
    ".webm": "video/webm",
    ".avi": "video/x-msvideo",
    ".mts": "video/mp2t",
    ".3gp": "video/3gpp",
}


def content_type_of(key: str) -> str:
    """The media type that belongs to the key's suffix; `application/octet-stream` for one not known here."""
    # A table of our own, because the machine's mime.types differ between a laptop and a container.
    return _CONTENT_TYPES.get("." + key.lower().rpartition(".")[2], "application/octet-stream")


@dataclass(frozen=True)
class UploadKey:
    """The parts of an upload's key. `suffix` has its dot and is in lower case."""

    owner_type: str
    owner_id: str
    session_id: str
    video_id: str
    suffix: str


def upload_key(owner_type: str, owner_id: str, session_id: str, video_id: str, suffix: str) -> str:
    """The key of an uploaded video.

    Args:
        owner_type: `coach` or `org`.
        owner_id, session_id, video_id: letters, digits and `._@+=-`, not starting with a dot.
        suffix: file suffix with or without its dot, one of `VIDEO_SUFFIXES`, in either case.

    Raises:
        ValueError: a part that does not fit.
    """
    if owner_type not in ("coach", "org"):
        raise ValueError(f"the owner type must be coach or org, not {owner_type!r}")
    dotted = "." + suffix.lower().removeprefix(".")
    if dotted not in VIDEO_SUFFIXES:
        raise ValueError(f"{suffix!r} is not the suffix of a video: {', '.join(VIDEO_SUFFIXES)}")
    parts = [_part(owner_id), _part(session_id), _part(video_id)]
    return checked_key("/".join((UPLOAD_ROOT, owner_type, *parts, f"original{dotted}")))


def owner_part(owner_id: str) -> str:
    """An owner's id as a key can hold it: itself, or 40 characters that stand for it (identity providers hand out `auth0|abc`)."""
    return owner_id if _PART.fullmatch(owner_id) else f"sha256-{hashlib.sha256(owner_id.encode()).hexdigest()[:33]}"


def parse_upload_key(key: str) -> UploadKey | None:
    """The parts of an upload's key, or None for any other key (an output, a file dropped into the bucket by hand)."""
    parts = key.split("/")
    if len(parts) != 6 or parts[0] != UPLOAD_ROOT or len(key) > MAX_KEY_LENGTH:
        return None
    _, owner_type, owner_id, session_id, video_id, name = parts
    stem, dot, suffix = name.rpartition(".")
    fits = owner_type in ("coach", "org") and all(_PART.fullmatch(part) for part in (owner_id, session_id, video_id))
    if not fits or stem != "original" or dot + suffix not in VIDEO_SUFFIXES:
        return None
    return UploadKey(owner_type, owner_id, session_id, video_id, dot + suffix)


def output_folder(source_key: str, job_id: str, attempt: int = 1) -> str:
    """The folder of one attempt's outputs, beside the job's source, without a closing slash. Works for any safe source key.

    Raises:
        ValueError: an unsafe source key or job id.
    """
    folder = checked_key(source_key).rpartition("/")[0]
    job = f"{folder}/analysis/{_part(job_id)}" if folder else f"analysis/{_part(job_id)}"
    return job if attempt <= 1 else f"{job}/attempt-{attempt}"


def output_key(source_key: str, job_id: str, name: Output, attempt: int = 1) -> str:
    """The key of one output of one attempt at a job.

    Args:
        source_key: key of the upload, in the layout above or anywhere else in the bucket.
        job_id: id of the job row.
        name: which output.
        attempt: 1 for the first run of the job.

    Raises:
        ValueError: an unsafe source key or job id, a name that is not an `Output`, or a key too long for its column.
    """
    return checked_key(f"{output_folder(source_key, job_id, attempt)}/{Output(name)}")


def clip_name(ball: int) -> str:
    """The name of one ball's clip among the outputs of a job; there are as many as balls were found, so they are no `Output`."""
    if ball < 1:
        raise ValueError(f"balls are numbered from 1, not {ball}")
    return f"deliveries/{ball}.mp4"


def film_key(source_key: str, job_id: str, ball: int | None, attempt: int = 1, *, blurred: bool = False) -> str:
    """The key of the overlay video of one attempt (`ball` None), or of one ball's clip.

    Films whose faces are blurred lie in a folder of their own: one in which faces can be seen never takes the place of one that a row
    calls blurred.

    Raises:
        ValueError: as `output_key`, and for a number below 1.
    """
    name = str(Output.OVERLAY) if ball is None else clip_name(ball)
    return checked_key(f"{output_folder(source_key, job_id, attempt)}/{'blurred/' + name.rpartition('/')[2] if blurred else name}")


def is_output_key(key: str) -> bool:
    """Whether the key lies in an `analysis/{job_id}/` folder, so that an overlay video is never taken for an upload."""
    return re.search(r"(^|/)analysis/[^/]+/", key) is not None


def is_video_key(key: str) -> bool:
    """Whether the key ends as a video does and is no output."""
    return key.lower().endswith(VIDEO_SUFFIXES) and not is_output_key(key)


def is_no_upload(key: str) -> bool:
    """Whether the key says itself that it is nothing to analyse: outputs, folder markers, dot files, options, halves of downloads."""
    return is_output_key(key) or key.endswith("/") or any(part.startswith(".") for part in key.split("/")) or key.lower().endswith(_BESIDE)


def analysable_key(key: str) -> str:
    """The key, if a video under it can be analysed: it ends as a video does, and it and those of its outputs fit everywhere.

    Raises:
        ValueError: another key, with the reason.
    """
    if not is_video_key(key):
        raise ValueError(f"its name does not end in {', '.join(VIDEO_SUFFIXES)}")
    try:
        key.encode()  # a name that is not UTF-8 is in no database
        # As long as an output's key can be: the id of a job has 32 digits, those of the earlier system 36.
        output_key(checked_key(key), "0" * 36, max(Output, key=len), 1000)
        checked_key(options_keys(key)[0])
    except ValueError as error:
        raise ValueError(f"its name cannot be used: {error}") from error
    return key


def options_keys(key: str) -> tuple[str, str]:
    """The keys of the JSON files beside a video that may say how to analyse it: `clip.mp4.json`, which is nearer, and `clip.json`."""
    folder, slash, name = key.rpartition("/")
    return f"{key}.json", f"{folder}{slash}{name.rpartition('.')[0]}.json"


def owner_of(key: str) -> tuple[str, str, str] | None:
    """Owner type, owner and session that the folders of a key name, or None. Less strict than `parse_upload_key` about what follows."""
    parts = key.split("/")
    if len(parts) < 5 or parts[0] != UPLOAD_ROOT or parts[1] not in ("coach", "org") or not all(map(_PART.fullmatch, parts[2:4])):
        return None
    return parts[1], parts[2], parts[3]


def checked_key(key: str) -> str:
    """The key, if it names a place inside its bucket on every store.

    Raises:
        ValueError: empty, longer than 500 characters, absolute, with an empty part, `.`, `..`, a backslash, or a control character.
    """
    if not key or len(key) > MAX_KEY_LENGTH:
        raise ValueError(f"an object key has 1 to {MAX_KEY_LENGTH} characters: {key[:80]!r}")
    if _UNSAFE.search(key):
        raise ValueError(f"an object key has no backslash and no control character: {key[:80]!r}")
    if any(part in ("", ".", "..") for part in key.split("/")):
        raise ValueError(f"an object key is relative and has no empty, '.' or '..' part: {key[:80]!r}")
    return key


def _part(value: str) -> str:
    if not _PART.fullmatch(value):
        raise ValueError(f"{value[:80]!r} cannot be part of an object key")
    return value
