"""The thresholds by which deliveries and their events are found, and how far each event may be off, as data.

Belongs here: every number of `deliveries` and of the finders that is an opinion. All are house defaults, status "uncalibrated", unless a
source is named: they were set on rendered players with known events and wait for a labelled set. Does not belong here: any code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class EventError:
    """How far the movement that a detector looks for lies from the event itself.

    Attributes:
        offset_s: added to what the detector finds; the mean of (true - found) where it was calibrated.
        sigma_s: what remains beside frame spacing and keypoint noise, as a standard deviation.
        status: "uncalibrated", or what it was calibrated on.
        source: where the numbers come from.
    """

    offset_s: float
    sigma_s: float
    status: str
    source: str


_HOUSE = ("uncalibrated", "house default")
_TRUTH = (
    "calibrated on rendered figures",
    "rendered players, 30 to 240 frames a second, side, front, quarter, behind: true landmarks with noise for the offset, BlazePose on a "
    "few dozen clips for what remains",
)

_CORPUS = (
    "calibrated on rendered figures",
    "true landmarks with noise for the offset; for what remains the calibration half of the accuracy corpus through BlazePose "
    "(docs/accuracy.md), events that were another movement altogether set aside",
)

ERRORS: dict[str, EventError] = {
    "top_of_backlift": EventError(-0.080, 0.089, *_CORPUS),
    "top_of_backlift_along": EventError(-0.080, 0.074, *_CORPUS),
    "front_foot_down": EventError(0.037, 0.025, *_CORPUS),
    "front_foot_down_by_place": EventError(0.100, 0.040, *_CORPUS),
    "contact": EventError(0.006, 0.021, *_CORPUS),
    "contact_by_sound": EventError(0.0, 0.003, *_HOUSE),
    "back_foot_contact": EventError(0.013, 0.016, *_CORPUS),
    "front_foot_contact": EventError(0.012, 0.016, *_CORPUS),
    "front_foot_contact_along": EventError(0.022, 0.041, *_CORPUS),
    "release": EventError(0.016, 0.024, *_CORPUS),
    "release_by_turn": EventError(0.0, 0.025, *_HOUSE),
    "set": EventError(0.156, 0.040, *_CORPUS),
    "rise": EventError(-0.076, 0.077, *_CORPUS),
    "take": EventError(0.030, 0.035, *_CORPUS),
    "catch": EventError(0.062, 0.030, *_CORPUS),
    "catch_ready": EventError(-0.230, 0.044, *_CORPUS),
    "throw_ready": EventError(-0.014, 0.035, *_CORPUS),
    "pick_up": EventError(0.005, 0.034, *_CORPUS),
    "throw_release": EventError(0.059, 0.022, *_CORPUS),
    "throw_front_foot_contact": EventError(0.027, 0.040, *_CORPUS),
    "throw_front_foot_contact_along": EventError(0.022, 0.030, *_TRUTH),
}
"""By event; where one event is told in two ways, each way has its own."""


@dataclass(frozen=True)
class DeliverySettings:
    """Speeds are in body heights per second (BH/s), heights and lengths in body heights (BH), times in seconds of life."""

    min_rate_hz: float = 24.5
    """Below 25 effective frames a second no event is named (cricket-metrics 3.5); 24.5 leaves room for rounded timestamps."""
    full_rate_hz: float = 49.0
    """From here on timing counts in full; below, it is shown with its uncertainty (cricket-metrics 3.5: 50; 49.95 is the same). Of life,
    here too: 30 frames a second of an eightfold slow motion are 240."""

    errors: Mapping[str, EventError] = field(default_factory=lambda: ERRORS)
    keypoint_noise_of_thigh: float = 0.015
    """Standard deviation of a landmark per axis, as a share of the thigh (cricket-metrics 3.5)."""
    draws: int = 30
    threshold_slack: float = 0.10
    least_share_of_draws: float = 0.5
    """An event that fewer of the draws show is not there."""

    window_before_s: float = 1.0
    window_after_s: float = 0.6
    whole_clip_s: float = 6.0
    """A clip this short is decoded whole as soon as anything in it looks like a delivery."""
    max_windows: int = 24
    max_window_total_s: float = 60.0
    """Seconds of the file, not of life: it bounds what is decoded."""
    merge_within_s: float = 2.0

    candidate_hand_speed: float = 0.9
    candidate_hands_apart: float = 0.35
    candidate_arm_speed: float = 0.9
    candidate_arm_over_shoulder: float = 0.10
    candidate_hip_travel: float = 0.25
    candidate_field_speed: float = 0.6
    candidate_keeping_speed: float = 0.4
    """On a 10 Hz grid a keeper's reach of 0.1 s shows as half its speed."""
    candidate_rise: float = 0.06
    """Hips that rise over the feet by so much within `candidate_rise_s` leave a crouch, whatever the hands do."""
    candidate_rise_s: float = 0.45
    candidate_before_s: Mapping[str, float] = field(
        default_factory=lambda: {"batting": 1.0, "bowling": 1.0, "wicketkeeping": 1.8, "fielding": 2.2}
    )
    """By mode, what is looked at before the fastest moment: a keeper's crouch and a fielder's ready position come long before it."""
    candidate_after_s: Mapping[str, float] = field(
        default_factory=lambda: {"batting": 0.6, "bowling": 1.0, "wicketkeeping": 1.0, "fielding": 1.0}
    )
    """And after it: hands that are fastest on their way to a ball take it 0.4 s later, and must be seen to hold it; on a sparse grid a
    bowler's arm may be fastest in his run-up."""

    batting_hand_speed: float = 1.4
    """Peak speed of the hands' middle against the hips, down or through; a drive shows 2.5 to 5, a walk below 0.5, a forward defence about
    1."""
    batting_down_speed: float = 0.9
    """On the way down: seen along the pitch a downswing comes towards the camera (a rendered drive from the front: 1.05)."""
    through_s: float = 0.45
    arc_s: float = 0.6
    batting_hands_apart: float = 0.35
    """Between the wrists: one above the other on a handle they are 0.05 to 0.10 apart, BlazePose puts a hidden one up to 0.35 away."""
    hands_apart_share: float = 0.60
    """Share of the downswing in which they must be that near: arms that swing past each other meet only for a moment."""
    backlift_drop: float = 0.06
    """The hands come down by at least this much from the top of the backlift to the lowest point of the swing."""
    downswing_s: tuple[float, float] = (0.08, 0.80)
    """From the top of the backlift to contact; 0.1 to 0.8 s are plausible (cricket-metrics B8)."""
    hands_under_shoulders: float = -0.06
    """At contact the hands are lower than this over the shoulders' height: what is met above the head is caught, not hit."""
    trunk_upright: float = 0.08
    """The shoulders stay over the hips by at least this much: a somersault had been read as a stroke."""
    lowest_within_s: float = 0.25
    """After contact the hands are at their lowest within this time."""
    follow_through: float = 0.12
    """Within `follow_through_s` after the swing's lowest point the hands move on by this much, up or along: a bat is not stopped."""
    follow_through_s: float = 0.35
    stride_across: float = 0.5
    """The line of play is turned to the picture by no more than 60 degrees (the cosine), or the front foot's landing is not told."""
    stride_before_s: float = 0.8
    stands_for_s: float = 0.30
    """From contact on the front foot stands where it landed for this long; its place is told from there."""
    stride_left: float = 0.15
    """It has come near that place when this share of the stride is left."""
    least_stride: float = 0.08
    foot_stops_within_s: float = 0.15
    """And stops there within this time."""
    backlift_depth: float = 0.03
    """The top of the backlift is the middle of the time that the hands spend within so much of their highest point: they hardly move there,
    and the highest sample itself is any of a fifth of a second."""
    contact_speed_share: float = 0.65
    contact_after_peak_s: float = 0.10
    """Contact comes when the hands have slowed to this share of their peak speed, at the latest this long after the peak."""

    sound_within_s: float = 0.120
    """A sound further from the contact that the hands show is another one (cricket-metrics 3.5)."""
    sound_strength: float = 8.0
    """Least strength of a bat's crack, in spreads of the background."""
    sound_alone: float = 0.6
    """A second sound within reach of this share of the strongest one's strength makes it doubtful which was the bat: neither is taken."""
    sound_distance_m: float = 14.0
    """From the bat to the phone, where nobody says: nets and boundaries are filmed from 8 to 20 m (cricket-metrics 3.5)."""
    sound_delay_sigma_s: float = 0.010
    """Of 8 to 20 m at 343 m/s: 23 to 58 ms, evenly spread."""

    bowling_arm_speed: float = 2.8
    """Seen from low behind a bowler's wrist shows 3.1, from the side 8; a windmilling arm at one turn a second 2.5."""
    bowling_hip_travel: float = 0.35
    """Movement of the hips over the ground in the last 1.5 s before release; seen along the pitch, growth of the player counts."""
    release_over_shoulder: float = 0.16
    throw_over_shoulder: float = 0.06
    throw_hands_apart: float = 0.28
    """When the throwing hand is highest the hands are further apart than this: two hands that go up together catch."""
    throw_arm_speed: float = 2.0
    """A bent arm that comes towards the camera shows no more (rendered throw from behind: 2.4)."""
    other_hand_under_shoulder: float = -0.02
    """In some pass of an action the other hand is no higher than this over its shoulder: two arms that go up together bowl nothing."""
    other_hand_s: tuple[float, float] = (0.05, 0.12)
    """Before and after the top, where that is looked at: the front arm is still on its way down when the ball goes."""
    arm_below_shoulder: float = 0.02
    """The bowling wrist starts and ends its circle below the shoulder by this much, within `arm_circle_s` either side."""
    arm_circle_s: float = 0.60
    arm_seen: float = 0.70
    """At the top of its circle the arm lies in the picture from any side: where it seems shorter than this share of itself it was lost."""
    release_at_turn_deg: float = 13.0
    """Past the vertical, in the direction of the ball (rendered bowler 13; by eye on four real balls 10 to 25)."""
    merge_releases_s: float = 2.0
    pass_over_shoulder: float = 0.13
    """A pass that may deliver, in an action in which some hand reaches `release_over_shoulder`: BlazePose folds an arm at its top (a
    release at 0.14)."""
    passes_apart_s: float = 0.12
    passes_again_s: float = 0.20
    """Two tops of one hand nearer to each other than the first are one pass, and nearer than the second where the hand was not down in
    between: no arm circles five times a second."""
    later_arm_within_s: float = 0.45
    """Passes that follow each other so shortly are one action: the front arm, the bowling arm, the front arm behind the bowler."""
    arm_rises_behind: float = 0.12
    arm_falls_behind: float = 0.15
    """Seen across his way, a bowling hand comes up past the shoulder at least so far behind it (0.25 to 0.38 in 22 of 24; the front
    hand comes up 0.03 to 0.27 before it) and does not go down past it so far behind, as the front hand does after the ball (real 0.21 to
    0.34)."""
    later_arm_share: float = 0.30
    """Where that does not show the last pass delivers, unless its swing (height over shoulder, over hips, and speed) is less than this
    share of the pass before it, as that of the front arm behind the bowler, who is bent by then (rendered and real 0.05 to 0.18; the
    bowling arm after the front arm 0.43 and more, once 0.22)."""
    feet_along: float = 0.85
    """Of who goes away from the camera within 32 degrees of the line of sight (the cosine) the feet are not told: his legs hide them."""
    front_foot_before_release_s: tuple[float, float] = (0.02, 0.38)
    back_foot_before_front_s: tuple[float, float] = (0.06, 0.52)
    foot_most_speed: float = 9.0
    """A foot that seems faster is two feet whose names were exchanged on the way: its landing is not told (a sprinter's swings at 6)."""
    landed_share_of_swing: float = 0.30
    """A foot is down when the slower of heel and toe moves at less than this share of the foot's fastest in the swing. cricket-metrics says
    15 % of the foot's: smoothing spreads a sudden stop over 50 ms, and a toe that comes down after the heel kept the foot in the air for
    two frames on a real side-on delivery."""
    landed_for_s: float = 0.06
    foot_swing_speed: Mapping[str, float] = field(
        default_factory=lambda: {
            "front_foot_down": 0.65,
            "front_foot_contact": 1.2,
            "back_foot_contact": 1.2,
            "front_foot_contact_along": 1.2,
            "throw_front_foot_contact": 1.2,
            "throw_front_foot_contact_along": 0.9,
        }
    )
    """A foot that never swings faster than this in the picture made no step there: seen along the pitch, a step hardly shows, and its
    landing is not told from bobbing (a rendered batter's front foot swings at 1.4 from the side and 0.45 from the front)."""

    take_hand_speed: float = 0.6
    """Of the reach or of the give, whichever is the faster; a rendered keeper's hands show 0.75 from the front, 1.4 from the side."""
    take_rest_speed: float = 0.4
    take_rest_s: float = 0.10
    take_rests_within_s: float = 0.45
    """After a take the hands come to rest, with the give or at once, within this time."""
    take_over_s: float = 0.035
    reach_s: float = 0.60
    """The hands wait, and then reach for no longer than this before their fastest moment."""
    take_reach: float = 0.06
    """They reach at least so far from where they waited."""
    leap_s: float = 0.10
    leap_speed: float = 4.0
    """A take before which nothing else was seen is not believed where the hips change their velocity by this much within `leap_s`: that is
    seven times gravity."""
    take_slack: float = 0.05
    take_no_further_s: float = 0.20
    """A take is the first moment after which the hands get no further from where they waited, but for `take_slack` of the way, for this
    long."""
    take_back: float = 0.08
    take_back_least: float = 0.012
    """Hands that have come back by this share of their reach, and by so much, have ended it."""
    take_reach_share: float = 0.5
    sinks_within_s: float = 0.4
    take_hands_apart_from_crouch: float = 0.45
    """Out of a crouch a keeper's hands may be this far apart and still take: apart is a fault of his, not another movement."""
    take_hands_apart: float = 0.28
    """Between the wrists; gloves side by side are 0.10 to 0.15 apart, BlazePose says up to 0.19."""
    take_gap_slack: float = 1.25
    """Hidden behind each other, wrists are misplaced for a moment: so much wider they may be seen about the take itself."""
    take_held_s: float = 0.25
    """Hands that hold a ball stay together this long; a clap overhead parts at once (a jumping man had been read as a catch)."""

    catch_reach_speed: float = 0.40
    """Mean speed of the reach of a catch, from where the hands waited; a rendered one shows 0.6, hands that are lowered on the way 0.25."""
    catch_over_hips: float = -0.08
    """At a catch the hands are no lower than this over the hips."""

    crouch_before_s: float = 2.0
    """So long before the take the crouch is looked for."""
    rise_before_s: float = 0.9
    """The hips leave the crouch no longer before the take than this."""
    rise_to_take_s: float = 0.60
    """From the bounce to the gloves a ball takes less (a spinner's 0.5 s); a keeper who needs longer to rise stands up without one."""
    crouch_rise: float = 0.04
    """The hips leave the crouch, and come down to it, by at least this much over the feet."""
    left_share: float = 0.20
    """The hips have left the crouch, or come down to it, when so much of their way from it lies behind them, or to it ahead."""
    ready_before_s: float = 2.0
    rest_s: float = 0.15
    rest_over_s: float = 0.08
    """Speeds at rest are taken over so long to either side, or noise would be movement."""
    rest_hip_speed: float = 0.12
    rest_hand_speed: float = 0.22
    rest_foot_speed: float = 0.12

    pick_up_wrist_height: float = 0.20
    """The lower wrist is this near to the lower ankle."""
    pick_up_hip_height: float = 0.60

    def lenient(self, share: float) -> DeliverySettings:
        """With every threshold of a candidate window at this share of itself."""
        names = ("hand_speed", "arm_speed", "field_speed", "keeping_speed", "rise")
        return replace(self, **{f"candidate_{name}": share * getattr(self, f"candidate_{name}") for name in names})


SETTINGS = DeliverySettings()

LENIENT: dict[str, float] = {"lite": 0.73, "full": 1.0, "heavy": 1.0}
"""By the networks that saw the grid, the share of the candidates' thresholds at which they find the same deliveries. Measured for lite on
the accuracy corpus, its grid seen by lite and decoded without the loop filter: four drives from in front, of 305 deliveries, moved the
hands at 0.68 to 0.86 of the 0.9 body heights a second that full saw reached; the fastest of those who play none at 0.64."""
