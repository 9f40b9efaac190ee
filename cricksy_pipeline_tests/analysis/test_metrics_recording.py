"""What a recording does to the numbers: slow motion known and unknown, a camera that moves, no sound."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cricksy_pipeline.analysis.documents import MetricsBlock
from cricksy_pipeline.analysis.metrics.catalogue import catalogue
from cricksy_pipeline.analysis.metrics.measure import measure
from cricksy_pipeline.analysis.recording import Onsets, Recording
from cricksy_pipeline_tests.analysis.players import MODE_OF, player

TIMES = {code for code, entry in catalogue().entries.items() if entry.of_time}


def block_of(motion: str, seen, **recording) -> MetricsBlock:
    return measure(seen, mode=MODE_OF[motion], recording=Recording(float(seen.t_s[-1]) + 0.05, **recording))


def measured(block: MetricsBlock) -> dict[str, float]:
    return {metric.code: metric.value for metric in block.metrics.values() if metric.value is not None}


@pytest.mark.parametrize("motion", ["drive", "bowl"])
def test_slow_motion_that_is_known_gives_the_numbers_of_life_and_the_times_of_the_file(motion):
    life = player(motion, fps=120, seconds=4.0)
    slow = replace(life, t_s=life.t_s * 4)
    a, b = block_of(motion, life), block_of(motion, slow, slow_motion=4.0, speed_source="asked")
    assert measured(b) == pytest.approx(measured(a), abs=1e-3)
    assert measured(a).keys() & TIMES
    assert b.deliveries[0].events[0].t_s == pytest.approx(4 * a.deliveries[0].events[0].t_s, abs=1e-3)
    assert b.deliveries[0].events[0].sigma_s == pytest.approx(4 * a.deliveries[0].events[0].sigma_s, abs=1e-3)
    assert b.metrics["front_knee_brace_score"].per_delivery[0].t_s <= float(slow.t_s[-1])
    assert (b.summary["slow_motion"], b.summary["speed_source"]) == (4.0, "asked")
    for name, series in b.series.items():
        assert series.t_s == pytest.approx([4 * t for t in a.series[name].t_s], abs=1e-3)
        assert [v for v in series.value if v is not None] == pytest.approx([v for v in a.series[name].value if v is not None], abs=2e-3)


@pytest.mark.parametrize("motion", ["drive", "bowl"])
def test_where_the_speed_is_not_known_angles_stay_and_no_time_and_no_speed_is_claimed(motion):
    life = player(motion, fps=120, seconds=4.0)
    known = block_of(motion, life)
    unknown = block_of(motion, replace(life, t_s=life.t_s * 4), slow_motion=None, speed_source="unknown", likely=4.0)
    kept = {code: value for code, value in measured(known).items() if code not in TIMES}
    assert measured(unknown) == pytest.approx(kept, abs=1e-3)
    for metric in unknown.metrics.values():
        if metric.code in TIMES:
            assert metric.reason_code == "TIME_BASE_UNKNOWN" and "--slow-motion" in metric.how_to_film, metric.code
    assert not {name for name in unknown.series if catalogue().words["series"][name].get("speed")}
    assert unknown.summary["slow_motion"] is None
    assert all(delivery.kind != "spin" and delivery.kind != "pace" for delivery in unknown.deliveries)


def test_pace_and_spin_are_not_told_from_a_speed_that_is_not_known():
    life = player("bowl", fps=120, seconds=4.0)
    assert block_of("bowl", life).summary["pace"] == "spin"
    unknown = block_of("bowl", replace(life, t_s=life.t_s * 4), slow_motion=None, speed_source="unknown", likely=4.0)
    assert unknown.summary["pace"] is None


def test_a_camera_that_pans_with_the_bowler_changes_no_stride_and_no_approach_while_its_movement_is_known():
    still = player("bowl", fps=60, seconds=4.0)
    pan = np.stack([-60 * still.t_s, np.zeros(len(still))], -1)
    followed = replace(still, xy=(still.xy + pan[:, None]).astype(np.float32), camera=pan.astype(np.float32), width=2000)
    a, b = measured(block_of("bowl", replace(still, width=2000))), measured(block_of("bowl", followed))
    for code in ("W2", "W3"):
        assert b[code] == pytest.approx(a[code], rel=0.01), code


def test_a_camera_whose_movement_could_not_be_told_gives_no_stride_and_says_why():
    seen = player("bowl", fps=60, seconds=4.0)
    block = block_of("bowl", replace(seen, camera=np.full_like(seen.camera, np.nan)))
    assert block.metrics["front_knee_brace_score"].value is not None
    for key in ("stride_length", "approach_speed"):
        metric = block.metrics[key]
        assert metric.value is None and metric.reason_code in ("CAMERA_MOVED", "NO_EVENT"), key
        assert metric.how_to_film


def test_the_hands_own_speed_is_not_held_against_a_contact_that_was_told_from_the_hands():
    metric = block_of("drive", player(fps=60, seconds=4.0)).metrics["hands_peak_before_contact"]
    assert metric.reason_code == "NEEDS_SOUND" and metric.how_to_film


def test_a_contact_that_was_heard_is_said_to_be_and_the_hands_are_held_against_it():
    seen = player(fps=60, seconds=4.0)
    silent = block_of("drive", seen)
    contact_s = next(event.t_s for event in silent.deliveries[0].events if event.name == "contact")
    heard = block_of("drive", seen, onsets=Onsets(np.array([0.4, contact_s + 0.041, 3.0]), np.array([3.0, 30.0, 4.0])))
    assert [ball.contact_by for ball in heard.deliveries] == ["sound"] and heard.summary["contact_by"] == {"sound": 1}
    assert heard.metrics["hands_peak_before_contact"].value < 0
    lanes = np.array([contact_s + 0.02, contact_s + 0.041, contact_s + 0.06])
    nets = block_of("drive", seen, onsets=Onsets(lanes, np.array([30.0, 30.0, 30.0])))
    assert [ball.contact_by for ball in nets.deliveries] == ["hands"] and nets.deliveries[0].sound_unused


def test_what_is_not_offered_is_said_in_every_document_also_of_an_empty_net():
    for motion, name in (("drive", "Bat speed"), ("bowl", "Legality")):
        for seen in (player(motion), player(motion, player=False)):
            block = block_of(motion, seen)
            assert any(item.name.startswith(name) and item.reason for item in block.not_offered)
