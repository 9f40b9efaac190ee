"""The table of measures: one row per ball and measure, true to the documents, read by any reader of CSV."""

from __future__ import annotations

import csv
import io

from cricksy_pipeline.analysis.documents import AnalysisResults
from cricksy_pipeline.reading.exports.metrics_csv import COLUMNS, metrics_csv, metrics_csv_problem
from cricksy_pipeline_tests.reading.sample_documents import drive_results, nobody_results


def rows_of(results: AnalysisResults) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(metrics_csv(results).decode(), newline=""), strict=True))


def test_there_is_one_row_for_each_ball_and_measure():
    results = drive_results()
    pairs = [(row["delivery"], row["metric"]) for row in rows_of(results)]
    assert pairs == [(str(ball.delivery), name) for ball in results.metrics.deliveries for name in results.metrics.metrics]


def test_a_row_says_what_the_document_says_of_that_ball():
    results = drive_results()
    rows = {(row["delivery"], row["metric"]): row for row in rows_of(results)}
    read = 0
    for name, metric in results.metrics.metrics.items():
        for value in metric.per_delivery:
            row = rows[str(value.delivery), name]
            assert float(row["value"]) == value.value and row["unit"] == metric.unit and row["reason"] == ""
            assert float(row["low"]) < value.value < float(row["high"])
            assert (float(row["t_s"]), int(row["frame"])) == (value.t_s, value.frame)
            assert float(row["coverage"]) == metric.coverage and row["definition_version"] == metric.definition_version
            read += 1
    assert read == sum(row["value"] != "" for row in rows.values()) > 0


def test_the_interval_of_a_ball_is_the_stored_one_where_there_is_one():
    results = drive_results()
    name, metric = next((name, metric) for name, metric in results.metrics.metrics.items() if metric.per_delivery)
    metric.per_delivery[0].ci95 = (metric.per_delivery[0].value - 1, metric.per_delivery[0].value + 9)
    row = next(row for row in rows_of(results) if row["metric"] == name)
    assert (float(row["high"]) - float(row["value"]), float(row["value"]) - float(row["low"])) == (9.0, 1.0)


def test_what_was_not_read_is_empty_and_says_why():
    results = drive_results()
    for row in rows_of(results):
        metric = results.metrics.metrics[row["metric"]]
        if row["value"] == "":
            assert row["low"] == row["high"] == row["sigma"] == row["t_s"] == "" and row["reason"] and row["reason_code"]
            assert metric.reason is None or (row["reason"], row["reason_code"]) == (metric.reason, metric.reason_code)


def test_a_measure_that_was_read_in_other_balls_says_so():
    results = drive_results()
    name, metric = next((name, metric) for name, metric in results.metrics.metrics.items() if len(metric.per_delivery) > 1)
    del metric.per_delivery[0]
    row = next(row for row in rows_of(results) if row["metric"] == name)
    assert (row["value"], row["reason_code"]) == ("", "NOT_IN_THIS_BALL")


def test_a_clip_without_balls_keeps_the_reason_of_every_measure():
    results = nobody_results()
    rows = rows_of(results)
    assert [(row["delivery"], row["metric"], row["value"]) for row in rows] == [("", name, "") for name in results.metrics.metrics]
    assert all(row["reason"] for row in rows)


def test_the_file_keeps_to_the_rules_of_csv():
    data = metrics_csv(drive_results())
    assert data.endswith(b"\r\n") and data.count(b"\n") == data.count(b"\r\n")
    assert data.decode().split("\r\n")[0] == ",".join(COLUMNS)


def test_what_is_no_whole_table_of_the_job_is_told():
    results, data = drive_results(), metrics_csv(drive_results())
    assert metrics_csv_problem(data, results) is None
    assert "rows" in metrics_csv_problem(data[: data.rstrip().rindex(b"\r\n") + 2], results)
    assert "columns" in metrics_csv_problem(b"", results) and "not a table" in metrics_csv_problem(b"\xff", results)
    assert "another job" in metrics_csv_problem(metrics_csv(drive_results("job-other")), results)
