"""The catalogue, the functions and the wording fit together, and nothing in them says what must not be said."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

import cricksy_pipeline.analysis.metrics as metrics_room
from cricksy_pipeline.analysis.documents import LEGACY_METRICS, AnalysisMode
from cricksy_pipeline.analysis.metrics.bowling import REPEATABILITY
from cricksy_pipeline.analysis.metrics.catalogue import catalogue, how_to_film, reason_text, wanted_view
from cricksy_pipeline.analysis.metrics.legacy import slots
from cricksy_pipeline.analysis.metrics.measure import FUNCTIONS
from cricksy_pipeline.analysis.metrics.series import SERIES
from cricksy_pipeline.analysis.wording import coaching

FORBIDDEN = re.compile(
    r"injur|\bpain|hurt|doctor|physio|medic|hospital|rehab|fracture|\bspine|lumbar|lower back"
    r"|stop (playing|bowling|batting|training)|should not (play|bowl|bat)",
    re.IGNORECASE,
)


def test_every_entry_has_a_function_and_every_function_an_entry():
    assert set(FUNCTIONS) | set(REPEATABILITY) == set(catalogue().entries)
    assert not set(FUNCTIONS) & set(REPEATABILITY) and set(REPEATABILITY.values()) <= set(FUNCTIONS)


def test_every_series_that_an_entry_names_exists_and_has_a_label():
    words = catalogue().words["series"]
    assert {entry.series for entry in catalogue().entries.values()} <= set(SERIES) == set(words)


def test_every_judged_entry_has_a_band_and_words_for_each_side_that_can_be_left():
    for entry in catalogue().entries.values():
        if not entry.judged or entry.judged_if:
            assert entry.why_not_judged, entry.code
        if not entry.judged:
            continue
        assert 0 < entry.d1 < entry.d2, entry.code
        sides = coaching()[entry.code]
        assert ("below" in sides) == (entry.band.low is not None), entry.code
        assert ("above" in sides) == (entry.band.high is not None), entry.code
        for words in sides.values():
            assert words["code"] and words["title"] and words["why"] and words["cues"] and words["drills"]


def test_every_band_names_its_source_and_status_and_lies_inside_what_is_possible():
    for entry in catalogue().entries.values():
        low, high = entry.plausible
        assert low < high
        for band in (entry.band, *(band for _, band in entry.bands)):
            if band is not None:
                assert band.source
                assert all(low <= end <= high for end in (band.low, band.high) if end is not None), entry.code


def test_a_band_for_a_kind_of_ball_lies_inside_the_wide_one_and_the_kind_exists():
    known = {name for kinds in catalogue().kinds.values() for name in (kinds.above, kinds.below)}
    assert known == set(catalogue().words["kind_words"])
    for entry in catalogue().entries.values():
        assert {*entry.judged_if, *([entry.only] if entry.only else []), *(kind for kind, _ in entry.bands)} <= known, entry.code
        for kind, band in entry.bands:
            assert band.low >= entry.band.low and band.high <= entry.band.high, (entry.code, kind)
            assert entry.band_for(kind) == band and entry.band_for(None) == entry.band


def test_every_metric_of_a_discipline_stands_under_exactly_one_key_of_its_documents_in_every_view():
    letter = {"batting": "B", "bowling": "W", "wicketkeeping": "K", "fielding": "F"}
    for mode in AnalysisMode:
        for view in ("side", "front", "behind", "quarter", None):
            codes = [slot.entry.code for slot in slots(mode, view) if slot.entry]
            assert sorted(codes) == sorted(code for code in catalogue().entries if code.startswith(letter[mode])), (mode, view)


def test_every_discipline_says_what_it_leaves_out_and_why():
    for mode in AnalysisMode:
        assert catalogue().not_offered[mode]
        assert all(item.name and item.reason for item in catalogue().not_offered[mode])
    said = " ".join(item.name.lower() for mode in AnalysisMode for item in catalogue().not_offered[mode])
    for left_out in ("legality", "ball speed", "counter-rotation", "knee collapse", "stumping"):
        assert left_out in said


def test_speeds_and_durations_are_marked_as_such():
    for entry in catalogue().entries.values():
        assert entry.of_time == (entry.unit in ("s", "body heights/s") or entry.code in ("K5", "K6", "F7G")), entry.code


def test_only_a_value_at_an_event_with_the_unit_of_its_series_lies_on_the_curve():
    for entry in catalogue().entries.values():
        if entry.on_curve:
            assert entry.unit == catalogue().words["series"][entry.series]["unit"], entry.code


def test_an_entry_that_is_judged_without_a_band_is_refused():
    from cricksy_pipeline.analysis.metrics.catalogue import _entry

    with pytest.raises(ValueError, match="judged but has no band"):
        _entry(
            "X1",
            {
                "label": "x",
                "unit": "s",
                "definition": "x",
                "views": ["any"],
                "event": "contact",
                "series": "hand_speed",
                "plausible": [0, 1],
                "sigma_player": 0,
                "sigma_view": 0,
                "sigma_model": 0,
            },
        )


def test_no_drill_is_used_by_two_disciplines():
    of_code = {"B": "batting", "W": "bowling", "K": "wicketkeeping", "F": "fielding"}
    seen: dict[str, str] = {}
    for code, sides in coaching().items():
        if code in catalogue().entries:
            for words in sides.values():
                for drill in words["drills"]:
                    assert seen.setdefault(drill, of_code[code[0]]) == of_code[code[0]], drill


def test_finding_codes_are_unique():
    codes = [words["code"] for name, sides in coaching().items() if name in catalogue().entries for words in sides.values()]
    assert len(codes) == len(set(codes))


@pytest.mark.parametrize("mode", list(AnalysisMode))
@pytest.mark.parametrize("view", ["side", "front", "behind", "quarter", None])
def test_every_mode_has_the_five_keys_in_every_view(mode, view):
    found = slots(mode, view)
    assert tuple(slot.key for slot in found[:5]) == LEGACY_METRICS
    assert len({slot.key for slot in found}) == len(found)
    assert all((slot.entry is None) == (slot.not_offered is not None) for slot in found)


def test_hip_and_shoulder_timing_is_offered_nowhere():
    for mode in AnalysisMode:
        assert catalogue().legacy[mode]["hip_shoulder_separation_timing"] == []


def test_a_keepers_and_a_fielders_knee_is_never_measured():
    for mode in (AnalysisMode.WICKETKEEPING, AnalysisMode.FIELDING):
        assert catalogue().legacy[mode]["front_knee_brace_score"] == []


def test_a_bowlers_knee_is_described_and_not_judged():
    assert not catalogue().entries["W1"].judged


def test_every_reason_can_be_said_and_every_refused_view_says_how_to_film():
    for entry in catalogue().entries.values():
        assert wanted_view(entry)
        if "any" not in entry.views:
            assert how_to_film("VIEW", entry)
    assert "5 pictures a second" in reason_text("RATE_TOO_LOW", rate="5")
    assert how_to_film("NOT_OFFERED", None) is None


def test_no_shipped_wording_names_an_injury_or_tells_anyone_to_stop_or_to_see_a_doctor():
    folder = Path(metrics_room.__file__).parent
    for path in folder.glob("*.toml"):
        for value in _strings(tomllib.loads(path.read_text(encoding="utf-8"))):
            assert not FORBIDDEN.search(value), (path.name, value)


def _strings(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)
