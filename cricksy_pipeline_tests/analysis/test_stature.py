"""The player's height: right in every view, honest about its error."""

from __future__ import annotations

import numpy as np
import pytest

from cricksy_pipeline.analysis.landmarks import INDEX
from cricksy_pipeline.analysis.stature import body_height_px, stature, stature_at
from cricksy_pipeline.sample.clip import ClipSpec, truth
from cricksy_pipeline_tests.analysis.players import player

VIEWS = ("side", "front", "quarter", "behind", "leg")


@pytest.mark.parametrize("motion", ["drive", "bowl"])
def test_the_players_height_is_found_within_five_percent_in_every_view(motion):
    for view in VIEWS:
        known = truth(ClipSpec(motion=motion, view=view))
        window = (known.t_s > 1.5) & (known.t_s < 2.1)  # about the ball: over a run-up along the pitch he grows by a quarter
        found = stature(known.px[window])
        true = float(np.median(known.height_px[window]))
        assert found.px == pytest.approx(true, rel=0.05), (motion, view)
        assert abs(found.px - true) < 1.96 * found.sigma_px


def test_the_height_needs_no_feet_but_is_less_sure_without_them():
    xy = player(fps=30).xy.astype(float)
    whole = stature(xy)
    for part in ("ankle", "heel", "foot_index"):
        for side in ("left", "right"):
            xy[:, INDEX[f"{side}_{part}"]] = np.nan
    without = stature(xy)
    assert without.px == pytest.approx(whole.px, rel=0.05)
    assert without.sigma_px / without.px > whole.sigma_px / whole.px


def test_a_crouch_that_hides_the_bones_makes_the_height_unsure_instead_of_wrong():
    for view in ("side", "front", "quarter", "behind"):
        known = truth(ClipSpec(motion="keep", view=view))
        down = (known.t_s > 0.9) & (known.t_s < 2.2)
        found, true = stature(known.px[down]), float(np.median(known.height_px[down]))
        assert abs(found.px - true) < 1.96 * found.sigma_px, view
    assert found.sigma_px > 0.1 * found.px


def test_one_wild_frame_makes_nobody_taller():
    xy = player(fps=30).xy.astype(float)
    spoiled = xy.copy()
    spoiled[50, INDEX["left_knee"]] += 300
    assert body_height_px(spoiled) == pytest.approx(body_height_px(xy), rel=0.005)


def test_whoever_was_never_seen_has_no_height():
    assert np.isnan(body_height_px(np.full((9, 33, 2), np.nan)))
    assert np.isnan(body_height_px(np.zeros((0, 33, 2))))


def test_who_runs_away_has_at_release_the_height_of_that_moment_and_it_is_less_sure():
    stays = stature(truth(ClipSpec(motion="drive", view="side")).px)
    share_of_who_stays = stays.sigma_px / stays.px
    for variation in (0, 5, 9):
        known = truth(ClipSpec(motion="bowl", view="behind", variation=variation))
        release = known.events["release"][0]
        true = float(np.interp(release, known.t_s, known.height_px))
        seen = known.t_s < release + 0.4
        whole, then = stature(known.px[seen]), stature_at(known.t_s[seen], known.px[seen], release)
        assert whole.px > 1.15 * true  # the nearest he was
        assert abs(then.px - true) < 1.96 * then.sigma_px, variation
        assert then.sigma_px / then.px > share_of_who_stays


def test_who_stays_where_he_is_has_one_height():
    known = truth(ClipSpec(motion="drive", view="side"))
    whole = stature(known.px)
    for moment in (1.0, 1.5, 2.0):
        assert stature_at(known.t_s, known.px, moment) == whole
    assert np.isnan(stature_at(known.t_s, np.full_like(known.px, np.nan), 1.0).px)
