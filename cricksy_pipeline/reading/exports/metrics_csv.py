"""The measures of every ball as a table for a spreadsheet or a statistics package.

Belongs here: the columns of `metrics.csv`, writing it, and telling whether bytes are it. Does not belong here: computing, the means over
the balls (`report.json` and the results have them), where the file lies (`store`).

One row per ball and measure (RFC 4180, UTF-8, a point as decimal mark). What was not read is an empty cell with its reason in the row;
never a number. A clip without balls has one row per measure, with the ball left empty. Nothing that a person typed is in it.
"""

from __future__ import annotations

import csv
import io

from cricksy_pipeline.analysis.documents import AnalysisResults, Delivery, DeliveryValue, Metric
from cricksy_pipeline.reading.report.balls import interval_of

COLUMNS: tuple[str, ...] = (
    "job_id",
    "delivery",
    "delivery_start_s",
    "delivery_end_s",
    "delivery_kind",
    "metric",
    "code",
    "label",
    "value",
    "unit",
    "low",
    "high",
    "sigma",
    "category",
    "event",
    "t_s",
    "frame",
    "coverage",
    "view",
    "reason_code",
    "reason",
    "definition_version",
    "analysis_version",
)
"""`low` and `high` are the 95 % interval of this ball's value; `sigma` one standard deviation; times are presentation timestamps in
seconds; `coverage` is the share of the frames in the measured windows of the whole clip in which the player was found."""
NOT_IN_THIS_BALL = ("NOT_IN_THIS_BALL", "It was read in other balls of the clip, not in this one.")


def metrics_csv(results: AnalysisResults) -> bytes:
    """The table of one pass."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\r\n")
    writer.writeheader()
    same = {"job_id": results.meta.job_id, "analysis_version": results.meta.analysis_version}
    for ball in results.metrics.deliveries or [None]:
        for name, metric in results.metrics.metrics.items():
            writer.writerow({**same, **_of_ball(ball), **_of_metric(name, metric), **_of_value(metric, ball)})
    return text.getvalue().encode()


def rows_expected(results: AnalysisResults) -> int:
    """How many rows below the header the table of these results has."""
    return max(len(results.metrics.deliveries), 1) * len(results.metrics.metrics)


def metrics_csv_problem(data: bytes, results: AnalysisResults) -> str | None:
    """Why the bytes are not the whole table of these results; None: they are."""
    try:
        rows = list(csv.reader(io.StringIO(data.decode(), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        return f"not a table: {error}"
    if not rows or tuple(rows[0]) != COLUMNS:
        return "its first line does not name the columns"
    if len(rows) - 1 != rows_expected(results):
        return f"{len(rows) - 1} rows, not {rows_expected(results)}"
    others = {row[0] for row in rows[1:]} - {results.meta.job_id}
    return f"rows of another job: {sorted(others)[0]!r}" if others else None


def _of_ball(ball: Delivery | None) -> dict[str, object]:
    if ball is None:
        return {}
    return {"delivery": ball.delivery, "delivery_start_s": ball.start_s, "delivery_end_s": ball.end_s, "delivery_kind": ball.kind}


def _of_metric(name: str, metric: Metric) -> dict[str, object]:
    return {
        "metric": name,
        "code": metric.code,
        "label": metric.label,
        "unit": metric.unit,
        "coverage": metric.coverage,
        "view": metric.view,
        "definition_version": metric.definition_version,
    }


def _of_value(metric: Metric, ball: Delivery | None) -> dict[str, object]:
    read = next((value for value in metric.per_delivery if ball is not None and value.delivery == ball.delivery), None)
    if read is not None:
        return _read(read)
    code, reason = (metric.reason_code, metric.reason) if metric.reason else NOT_IN_THIS_BALL
    return {"reason_code": code, "reason": reason}


def _read(value: DeliveryValue) -> dict[str, object]:
    low, high = interval_of(value)
    return {
        "value": value.value,
        "low": round(low, 6),
        "high": round(high, 6),
        "sigma": value.sigma,
        "category": value.category,
        "event": value.event,
        "t_s": value.t_s,
        "frame": value.frame,
    }
