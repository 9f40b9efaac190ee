"""What Dagster's pages say of each asset beside its docstring: what it reads, what its guardrails hold, what to do when it fails.

Belongs here: words, by asset, and how they are put together as markdown. The guardrails come from the one list in `analysis.guardrails`,
so that no page promises what no check holds. Does not belong here: the first sentences of an asset, which are its docstring; what a
materialization shows (`describe`).
"""

from __future__ import annotations

from dataclasses import dataclass

import dagster as dg

from cricksy_pipeline.analysis.guardrails import GUARDRAILS

RERUN = """\
**To run a video again**, materialize all six assets of its partition; the partition key is the job id. Only a run of all six may begin a
job. Each stage keeps by itself what still follows from its inputs, so a rerun after a failure in `report` redoes `report` alone.

- Here: *Materialize all...*, select the partition, *Launch 1 run*. The dialog's *Config* needs nothing: it only sets the log level.
- Everything anew, also what still holds: in that dialog, under *Tags*, add `cricksy/fresh: true`.
- In a terminal: `cricksy retry JOB` (`--fresh`; `--mode bowling` where nobody had said), `cricksy backfill --outdated` for many.
- A job that is `done` stays readable as it was until the new analysis is proven.
"""
"""How to rerun: the description of the job, and a field of every asset's definition."""

FRAMES_FAIL = """\
The upload is at fault more often than we are: the error names the code (`NOT_A_VIDEO`, `VIDEO_CORRUPT`, `VIDEO_TOO_LONG`, `SOURCE_MISSING`
...), and docs/runbook.md says what to tell the coach. `MODE_MISSING`: `cricksy retry JOB --mode batting`. A store that is away is
waited for, 65 s, inside the run."""

PASS_FAIL = """\
`POSE_CRASHED` is a native process that died twice; the last lines of its standard error are in this step's log. SIGKILL there means
too little memory: fewer `CRICKSY_POSE_WORKERS`. Other codes: docs/runbook.md. Landmarks that were stored before the failure are not
computed again."""

WORDS_FAIL = """\
A failed guardrail here is a fault of ours, unless somebody edited the row or the object: the Checks tab shows actual beside expected. Then
rerun the partition; this stage alone is made anew. Readers keep the first look."""


@dataclass(frozen=True)
class AssetText:
    """What stands below the docstring. `fails`: what to do, not what went wrong."""

    reads: str
    fails: str


TEXTS: dict[str, AssetText] = {
    "frames": AssetText(
        "the uploaded video from the object store, by the key in the job row; its bytes must be those that the job was made for.",
        FRAMES_FAIL,
    ),
    "quick_results": AssetText("`frames.parquet`, and the video unless landmarks of an earlier attempt still hold.", PASS_FAIL),
    "deep_results": AssetText(
        "`frames.parquet`, the quick pass's landmarks, and the video unless deep landmarks of an earlier attempt still hold.", PASS_FAIL
    ),
    "findings": AssetText("`deep_results` from the job row. No video, no landmarks: milliseconds.", WORDS_FAIL),
    "report": AssetText("`deep_results` and `deep_findings` from the job row, and the stored pictures.", WORDS_FAIL),
    "completed_analysis": AssetText(
        "the job row, the table `guardrail_results`, and every stored object, all of them read back.",
        """\
Nothing was lost: the row says which proof did not hold, and is not `done`. Materialized alone it refuses, by design: run all six. An object
that is gone or was changed is named; a rerun makes it anew.""",
    ),
    "inventory": AssetText(
        "counts and examples from the job rows; no document, unless a finished row may not be readable.",
        """\
Only the database or the store can make it fail; the next quarter of an hour takes it again. A check that warns names the videos: stale ones
are the reconciler's, unreadable ones want `cricksy rehydrate`, a queue that stands wants a daemon (`cricksy doctor`).""",
    ),
}


def described(asset: dg.AssetsDefinition) -> dg.AssetsDefinition:
    """The asset with its full description and how to rerun it. An asset without a text here keeps its docstring."""
    return asset.map_asset_specs(_described)


def _described(spec: dg.AssetSpec) -> dg.AssetSpec:
    name = spec.key.to_user_string()
    if name not in TEXTS:
        return spec
    metadata = {**spec.metadata, "runbook": "docs/runbook.md, by error code"}
    if name in GUARDRAILS or name == "completed_analysis":
        metadata["how_to_rerun"] = dg.MetadataValue.md(RERUN)
    return spec.replace_attributes(description=description(name, spec.description or ""), metadata=metadata)


def description(name: str, docstring: str) -> str:
    """Markdown: the docstring, then what it reads, what to do, what holds. Raises KeyError for an asset without a text."""
    text = TEXTS[name]
    # What to do before what holds: the page folds a long description, and the guardrails have a tab of their own.
    parts = [docstring.strip(), f"**Reads** {text.reads}", f"**When it fails.** {text.fails}", _guardrails(name)]
    return "\n\n".join(part for part in parts if part)


def _guardrails(name: str) -> str:
    if name == "completed_analysis":
        demanded = sum(map(len, GUARDRAILS.values()))
        return f"**Guardrails.** None of its own: it demands all {demanded} of the five stages before it, of this run."
    listed = [f"- `{one.name}`{' (only warns)' if one.severity == 'WARN' else ''}: {one.description}" for one in GUARDRAILS.get(name, ())]
    return "\n".join(["**Guardrails.** Judged from what was read back; one that fails ends the run here:", "", *listed]) if listed else ""
