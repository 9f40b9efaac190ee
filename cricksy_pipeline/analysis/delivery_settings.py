"""The thresholds by which deliveries and their events are found, as data.

Belongs here: every number of `deliveries` and `events` that is an opinion. All are house defaults, status "uncalibrated", unless a
source is named: they were set on rendered players with known events and wait for a labelled set. Does not belong here: any code.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class DeliverySettings:
    """Speeds are in body heights per second (BH/s), heights and lengths in body heights (BH), times in seconds."""

    min_rate_hz: float = 24.5
    """Below 25 effective frames a second no event is named (cricket-metrics 3.5); 24.5 leaves room for rounded timestamps."""

    window_before_s: float = 1.0
    window_after_s: float = 0.6
    whole_clip_s: float = 6.0
    """A clip this short is decoded whole as soon as anything in it looks like a delivery."""
    max_windows: int = 24
    max_window_total_s: float = 60.0
    merge_within_s: float = 2.0

    candidate_hand_speed: float = 0.9
    candidate_hands_apart: float = 0.35
    candidate_arm_speed: float = 1.2
    candidate_arm_over_shoulder: float = 0.12
    candidate_hip_travel: float = 0.25
    candidate_field_speed: float = 1.2

    batting_hand_speed: float = 1.4
    """Peak speed of the hands' middle against the hips; a drive shows 2.5 to 5, a walk below 0.5, a forward defence about 1."""
    batting_hands_apart: float = 0.25
    backlift_drop: float = 0.06
    """The hands come down by at least this much from the top of the backlift to contact."""
    backlift_sigma_s: float = 0.040
    """Beside the frame spacing: the hands hardly move about the top, and the bat's top is not theirs."""
    backlift_before_contact_s: tuple[float, float] = (0.08, 0.90)
    contact_speed_share: float = 0.65
    contact_after_peak_s: float = 0.10
    """Contact comes when the hands have slowed to this share of their peak speed, at the latest this long after the peak."""

    contact_sigma_s: float = 0.020
    """Beside the frame spacing: contact is within 20 ms of the truth on rendered drives, perfect or seen by BlazePose."""

    bowling_arm_speed: float = 3.5
    bowling_hip_travel: float = 0.35
    """Movement of the hips over the ground in the last 1.5 s before release; seen along the pitch, growth of the player counts."""
    release_over_shoulder: float = 0.20
    arm_below_shoulder: float = 0.02
    """The bowling wrist starts and ends its circle below the shoulder by this much, within `arm_circle_s` either side."""
    arm_circle_s: float = 0.60
    release_after_highest_s: float = 0.010
    """The ball leaves about 10 ms after the hand passes its highest point."""
    release_sigma_s: float = 0.025
    """On the rendered bowler at 30 fps BlazePose's release came 45 ms early; by eye, on three real bowlers, within a frame."""
    merge_releases_s: float = 2.0
    front_foot_before_release_s: tuple[float, float] = (0.02, 0.32)
    back_foot_before_front_s: tuple[float, float] = (0.06, 0.48)
    landed_share_of_swing: float = 0.15
    """A foot has landed when its speed falls below this share of its swing peak (cricket-metrics 3.5)."""
    landing_sigma_s: float = 0.025
    """Beside the frame spacing: on a real side-on delivery at 30 frames a second the front foot came out 2 frames late."""
    foot_swing_speed: float = 0.5
    """A foot that never swings faster than this made no step."""

    take_hand_speed: float = 1.0
    take_hands_apart: float = 0.12
    take_slows_to: float = 0.35
    take_slows_within_s: float = 0.25
    take_held_s: float = 0.15
    """Hands that hold a ball stay together this long; a clap overhead parts at once (a jumping man had been read as a catch)."""
    pick_up_wrist_height: float = 0.12
    """The lower wrist is this near to the lower ankle."""
    pick_up_hip_height: float = 0.42


SETTINGS = DeliverySettings()
