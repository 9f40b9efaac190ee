"""Guardrails as blocking, partitioned asset checks: one check step per asset, made from the one list in `analysis.guardrails`.

Belongs here: reading back what a stage stored, asking the predicates, recording each answer in Dagster and in our own table.
Does not belong here: what must hold. A failed ERROR guardrail writes `failed` to the row before Dagster hears of it.
"""

# No `from __future__ import annotations`: Dagster reads the annotation of `context` as a class, not as text.

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import dagster as dg

from cricksy_pipeline.analysis.guardrails import GUARDRAILS, GuardrailResult
from cricksy_pipeline.errors import ErrorCode
from cricksy_pipeline.orchestration import evidence
from cricksy_pipeline.orchestration.completion import earlier_is_broken
from cricksy_pipeline.orchestration.evidence import ReadBack
from cricksy_pipeline.orchestration.keeping import kept
from cricksy_pipeline.orchestration.partitions import videos
from cricksy_pipeline.orchestration.resources import Config, Objects, Run, Videos
from cricksy_pipeline.orchestration.tables import cell, compared


@dataclass(frozen=True)
class Guarded:
    """An asset and how its guardrails are evaluated."""

    asset: str
    evaluate: Callable[[ReadBack], list[GuardrailResult]]


GUARDED = (
    Guarded("frames", evidence.of_frames),
    Guarded("quick_results", evidence.of_quick_results),
    Guarded("deep_results", evidence.of_deep_results),
    Guarded("findings", evidence.of_findings),
    Guarded("report", evidence.of_report),
)


def build_checks() -> list[dg.AssetChecksDefinition]:
    """One definition per guarded asset."""
    return [_checks_of(guarded) for guarded in GUARDED]


def _checks_of(guarded: Guarded) -> dg.AssetChecksDefinition:
    specs = [
        dg.AssetCheckSpec(guardrail.name, asset=guarded.asset, blocking=True, partitions_def=videos, description=guardrail.description)
        for guardrail in GUARDRAILS[guarded.asset]
    ]

    # can_subset=False: with it a check that yields no result would let everything downstream run.
    @dg.multi_asset_check(
        name=f"{guarded.asset}_guardrails", specs=specs, can_subset=False, description=f"The guardrails of {guarded.asset}."
    )
    def guardrails(
        context: dg.AssetCheckExecutionContext, stages: Run, objects: Objects, source_videos: Videos, settings: Config
    ) -> Iterator[dg.AssetCheckResult]:
        with stages.enter(context, f"{guarded.asset} guardrails") as now:
            read = ReadBack(now, objects, source_videos, settings)
            results = guarded.evaluate(read)
            answers = [_as_check_result(guarded.asset, result) for result in results]
            _record(read, guarded.asset, results)
        yield from answers

    return guardrails


def _record(read: ReadBack, asset: str, results: list[GuardrailResult]) -> None:
    now = read.now
    now.jobs.guardrails.record(now.job_id, now.run_id, now.row.attempt, asset, results)
    failed = [result for result in results if not result.passed and result.severity == "ERROR"]
    # One line for those that hold: Dagster keeps each line as an event of its own, beside the check's, which says the rest.
    holding = ", ".join(result.name for result in results if result.passed)
    now.log.info("guardrails of %s: job_id=%s passed=%s", asset, now.job_id, holding or "none")
    for result in results:
        if not result.passed:
            now.log.warning("guardrail %s.%s: job_id=%s passed=False %s", asset, result.name, now.job_id, result.message)
    if failed:
        message = "; ".join(f"{asset}.{result.name}: {result.message}" for result in failed)
        broken = kept(now, asset) and earlier_is_broken(now, read.objects)
        now.jobs.fail(now.job_id, now.run_id, ErrorCode.GUARDRAIL_FAILED, message, asset, discredits=broken)


def _as_check_result(asset: str, result: GuardrailResult) -> dg.AssetCheckResult:
    severity = dg.AssetCheckSeverity.ERROR if result.severity == "ERROR" else dg.AssetCheckSeverity.WARN
    return dg.AssetCheckResult(
        asset_key=asset,
        check_name=result.name,
        passed=result.passed,
        severity=severity,
        description=result.message,
        metadata={"compared": compared(result.actual, result.expected), **_whole(result)},
    )


def _whole(result: GuardrailResult) -> dict[str, Any]:
    """Numbers as numbers, which Dagster plots over time, and what a cell of the table cuts."""
    values = {"actual": result.actual, "expected": result.expected}
    plotted = {name: value for name, value in values.items() if isinstance(value, (int, float)) and not isinstance(value, bool)}
    long = {name: dg.MetadataValue.json(value) for name, value in values.items() if cell(value).endswith("…")}
    return {**plotted, **long}
