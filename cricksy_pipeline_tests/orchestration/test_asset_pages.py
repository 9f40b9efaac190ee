"""What an engineer reads on Dagster's pages: descriptions, metadata within a budget, the story of a partition, progress in the log."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from types import SimpleNamespace

import dagster as dg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cricksy_pipeline.analysis.guardrails import GUARDRAILS
from cricksy_pipeline.definitions import defs
from cricksy_pipeline.orchestration import links
from cricksy_pipeline.orchestration.asset_texts import RERUN
from cricksy_pipeline.orchestration.metadata_budget import BUDGET_BYTES, CUT, INLINE_CHARACTERS, size_bytes, within_budget
from cricksy_pipeline.orchestration.progress_log import EVERY_S, ProgressLog
from cricksy_pipeline.orchestration.story import attempts_table, chapters, story_table
from cricksy_pipeline.orchestration.tables import CELL_CHARACTERS, cell, compared
from cricksy_pipeline.settings import Settings
from cricksy_pipeline.store.keys import Output

GRAPH = defs.resolve_asset_graph()
STAGES = (*GUARDRAILS, "completed_analysis")


@pytest.mark.parametrize("name", [*STAGES, "inventory"])
def test_an_asset_says_what_it_makes_what_it_reads_and_what_to_do_when_it_fails(name):
    text = GRAPH.get(dg.AssetKey(name)).description

    lead, *parts = text.split("\n\n")
    assert len(lead) > 40 and "**" not in lead
    assert sum(part.startswith("**Reads** ") for part in parts) == 1
    assert sum(part.startswith("**When it fails.** ") for part in parts) == 1
    assert max(len(line) for line in text.splitlines()) < 400


@pytest.mark.parametrize("name", GUARDRAILS)
def test_a_description_names_every_guardrail_and_says_which_only_warn(name):
    lines = GRAPH.get(dg.AssetKey(name)).description.splitlines()

    listed = {line.split("`")[1]: line for line in lines if line.startswith("- `")}
    assert set(listed) == {guardrail.name for guardrail in GUARDRAILS[name]}
    for guardrail in GUARDRAILS[name]:
        assert guardrail.description in listed[guardrail.name]
        assert ("only warns" in listed[guardrail.name]) == (guardrail.severity == "WARN")


def test_how_to_run_again_stands_at_the_job_and_at_each_of_its_assets():
    assert RERUN in defs.resolve_job_def("analysis").description
    for name in STAGES:
        assert GRAPH.get(dg.AssetKey(name)).metadata["how_to_rerun"].value == RERUN
    assert "cricksy/fresh" in RERUN


metadata = st.dictionaries(
    st.text(min_size=1, max_size=20),
    st.one_of(
        st.integers(-(10**9), 10**9),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(max_size=3000),
        st.text(max_size=3000).map(dg.MetadataValue.md),
        st.lists(st.text(max_size=300), min_size=1, max_size=20).map(
            lambda words: dg.MetadataValue.table([dg.TableRecord({"words": word}) for word in words])
        ),
        st.lists(st.text(max_size=300), max_size=20).map(dg.MetadataValue.json),
    ),
    max_size=8,
)


@given(metadata, st.integers(1500, 6000))
def test_metadata_is_within_its_budget_and_keeps_every_name_and_every_number(given_metadata, budget):
    shown = within_budget(given_metadata, budget)

    assert list(shown) == list(given_metadata)
    assert size_bytes(shown) <= budget
    assert all(shown[name] == value for name, value in given_metadata.items() if isinstance(value, (int, float)))


@given(metadata)
def test_metadata_that_fits_is_not_touched(given_metadata):
    assert within_budget(given_metadata, size_bytes(given_metadata)) == given_metadata


def test_what_was_cut_says_so():
    shown = within_budget({"report": dg.MetadataValue.md("word " * 10_000), "findings": 3})

    assert shown["report"].value.endswith(CUT) and shown["report"].value.startswith("word word")
    assert shown["findings"] == 3


def record(made_in: int, attempt: int, seconds: float = 1.0) -> dict:
    return {"seconds": seconds, "cpu_s": seconds / 2, "made_in": made_in, "attempt": attempt, "run_id": f"{made_in:08d}-run", "inputs": "x"}


def row_of(stages: dict, attempt: int) -> SimpleNamespace:
    return SimpleNamespace(stages=stages, attempt=attempt, dagster_run_id=f"{attempt:08d}-run")


def test_the_story_tells_what_was_made_what_was_kept_and_of_which_pass_only_the_landmarks_were():
    stages = {
        "frames": record(1, 3),
        "quick_landmarks": record(1, 3),
        "quick_results": record(3, 3),
        "deep_results": record(2, 2),
        "findings": record(3, 3),
    }
    told = {each.stage: each for each in chapters(stages, 3)}

    assert told["frames"].words == "kept from attempt 1"
    assert told["quick_results"].words == "made, landmarks kept"
    assert told["deep_results"].words.startswith("not reached")
    assert told["findings"].words == "made"
    assert told["report"].words == "not asked for"


def test_the_story_counts_only_what_this_attempt_spent():
    stages = {"frames": record(1, 2, 100.0), "quick_results": record(2, 2, 4.0), "findings": record(2, 2, 2.0)}

    total = next(line for line in story_table(row_of(stages, 2), 1.0, 0.25).splitlines() if "this attempt" in line and "**" in line)

    assert "**7.00**" in total and "**3.25**" in total


@given(st.lists(st.tuples(st.integers(1, 999), st.floats(0, 99_999)), min_size=7, max_size=7), st.integers(1, 999))
def test_the_story_is_short_enough_not_to_be_folded_away(made, attempt):
    names = ("frames", "quick_landmarks", "quick_results", "deep_landmarks", "deep_results", "findings", "report")
    stages = {name: {**record(made_in, attempt, seconds), "run_id": RUN_ID} for name, (made_in, seconds) in zip(names, made, strict=True)}

    table = story_table(SimpleNamespace(stages=stages, attempt=attempt, dagster_run_id=RUN_ID), 1.0, 1.0)

    assert len(table) <= INLINE_CHARACTERS
    rows = [line for line in table.splitlines() if line.startswith("|")]
    assert {line.count("|") for line in rows} == {7}


RUN_ID = "d19278dd-79f1-4f01-b10f-b44f79c31459"


def attempt_of(number: int, **given) -> SimpleNamespace:
    began = datetime(2026, 11, 23, 1, 30, tzinfo=UTC)
    said = {"run_id": RUN_ID, "outcome": "done", "error_code": None, "error_message": None, **given}
    return SimpleNamespace(attempt=number, started_at=began, ended_at=began + timedelta(seconds=90), **said)


def test_the_attempts_say_how_each_ended_and_no_message_breaks_their_table():
    failed = attempt_of(1, outcome="failed", error_code="POSE_CRASHED", error_message="it | died\n| here " + "x" * 500)
    table = attempts_table([*(attempt_of(n) for n in range(7, 1, -1)), failed])
    assert table.splitlines()[-1].startswith("| | and 3 earlier") and len(table) <= INLINE_CHARACTERS

    last = attempts_table([failed]).splitlines()[-1]
    assert "POSE_CRASHED: it / died / here xxx" in last and last.count("|") == 6 and "90 s" in last
    assert "running" in attempts_table([attempt_of(1, outcome=None)])


def test_a_guardrails_values_stand_beside_each_other_part_by_part():
    table = compared({"duration_s": 8.0, "size_bytes": 10}, {"duration_s": 900.0})
    assert [record.data for record in table.records] == [
        {"part": "duration_s", "actual": "8.0", "expected": "900.0"},
        {"part": "size_bytes", "actual": "10", "expected": "–"},
    ]
    limits = compared({"duration_s": 8.0, "size_bytes": 10}, {"max_seconds": 900.0, "max_bytes": 99})
    assert [record.data for record in limits.records] == [
        {"part": "duration_s, max_seconds", "actual": "8.0", "expected": "900.0"},
        {"part": "size_bytes, max_bytes", "actual": "10", "expected": "99"},
    ]
    echoed = compared({"meta.mode": "batting", "meta.used": "bowling"}, "batting")
    assert [(r.data["actual"], r.data["expected"]) for r in echoed.records] == [("batting", "batting"), ("bowling", "batting")]
    assert [record.data for record in compared([], []).records] == [{"actual": "none", "expected": "none"}]


values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=8), lambda v: st.lists(v) | st.dictionaries(st.text(max_size=3), v)
)


@given(values, values)
def test_whatever_a_guardrail_found_there_is_a_table_of_it(actual, expected):
    assert compared(actual, expected).records


@given(st.one_of(st.none(), st.booleans(), st.text(), st.lists(st.integers(), max_size=200)))
def test_no_cell_is_longer_than_a_cell(value):
    assert 0 < len(cell(value)) <= CELL_CHARACTERS or value == ""


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@given(st.lists(st.tuples(st.floats(0, 20), st.integers(0, 50)), min_size=1, max_size=200))
def test_the_log_hears_of_progress_at_most_every_few_seconds_and_of_the_first_and_the_last_count_always(steps):
    clock, counts = Clock(), []
    for _, more in steps:
        counts.append((counts[-1] if counts else 0) + more)
    wanted = counts[-1] + 1
    lines, said = ProgressLog(clock), []
    for (seconds, _), done in zip([*steps, (0.0, 1)], [*counts, wanted], strict=True):
        clock.now += seconds
        if line := lines.line(done, wanted):
            said.append((clock.now, done, line))

    assert said[0][1] == counts[0] and said[-1][1] == wanted
    between = [later - earlier for (earlier, _, _), (later, done, _) in pairwise(said) if done != wanted]
    assert all(seconds >= EVERY_S for seconds in between)
    assert all(line.startswith(f"{done} of {wanted} frames") for _, done, line in said)


def test_a_line_of_progress_tells_the_measured_rate_and_what_is_left_by_it():
    clock = Clock()
    lines = ProgressLog(clock)
    assert lines.line(0, 400) == "0 of 400 frames (0 %)"
    clock.now = 10.0
    assert lines.line(100, 400) == "100 of 400 frames (25 %), 10.0 a second, about 30 s left"
    clock.now = 12.0
    assert lines.line(200, 400) is None
    clock.now = 40.0
    assert lines.line(400, 400) == "400 of 400 frames (100 %), 10.0 a second"
    assert lines.line(400, 400) is None
    clock.now = 50.0
    assert lines.line(600, 800) == "600 of 800 frames (75 %)"


def test_links_lead_to_the_apis_own_paths():
    from cricksy_pipeline.reading.api.job_paths import JOBS_PATH

    assert links.JOBS_PATH == JOBS_PATH
    settings = Settings(public_url="https://coach.example/")
    assert links.job_url(settings, "j1") == f"https://coach.example{JOBS_PATH}/j1"
    assert links.page_url(settings, "j1") == "https://coach.example/analyses/j1"
    assert links.output_url(settings, "j1", Output.REPORT_PDF.value).endswith("/j1/report.pdf")
    assert links.output_url(settings, "j1", Output.FINDINGS.value).endswith("/j1/files/findings.json")


def test_a_run_leaves_pages_with_pictures_plots_tables_and_links_within_the_budget(pipeline, glimpse):
    row, first = pipeline.analyse(glimpse)
    shown = metadata_of(first)

    assert set(shown) == set(STAGES)
    for name, said in shown.items():
        assert size_bytes(said) <= BUDGET_BYTES, name
        assert said["page"].value.endswith(f"/analyses/{row.id}") and said["row"].value.endswith(f"/analysis-jobs/{row.id}")
    for name in ("quick_results", "deep_results"):
        assert "/files/" in shown[name]["player"].value and "/files/" in shown[name]["metrics_over_time"].value
        assert "`" in shown[name]["not_measured"].value
    done = shown["completed_analysis"]
    assert len(done["story"].value) <= INLINE_CHARACTERS and "| findings |" in done["story"].value
    assert {r.data["guardrail"] for r in done["guardrails"].records} == {
        f"{asset} {guardrail.name}" for asset, guardrails in GUARDRAILS.items() for guardrail in guardrails
    }
    assert all(f"[{output}](" in done["objects"].value for output in row.stored_objects)
    for evaluation in first.get_asset_check_evaluations():
        assert evaluation.metadata["compared"].records

    pipeline.jobs.claim(row.id, "somebody's")
    pipeline.jobs.fail(row.id, "somebody's", "CANCELED", "stopped")
    again = metadata_of(pipeline.run(row.id))
    assert "kept_from_run" in again["deep_results"] and "| deep_results |" in again["completed_analysis"]["story"].value
    assert "| kept |" in again["completed_analysis"]["story"].value and "CANCELED" in again["completed_analysis"]["attempts"].value


def metadata_of(result: dg.ExecuteInProcessResult) -> dict[str, dict]:
    events = [event for event in result.all_events if event.is_step_materialization]
    return {event.asset_key.to_user_string(): dict(event.materialization.metadata) for event in events}
