"""The bat's crack: contact, told by the hands, made sure by what is heard.

Belongs here: which onset is the bat on the ball, what the sound's way to the phone takes, and both times in one. Does not belong here:
hearing (`sound`), the hands (`strokes`), thresholds (`delivery_settings`).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from cricksy_pipeline.analysis.delivery_settings import DeliverySettings
from cricksy_pipeline.analysis.events import EventTime, FoundDelivery, in_order
from cricksy_pipeline.analysis.recording import Onsets

SPEED_OF_SOUND_M_S = 343.0

NOTHING_HEARD = "no sudden sound near the contact that the hands show"
SEVERAL_HEARD = "several sudden sounds near the contact: it cannot be told which one is the bat"


def with_sound(delivery: FoundDelivery, onsets: Onsets | None, settings: DeliverySettings) -> FoundDelivery:
    """The delivery with its contact refined by sound; the same with the reason in `sound` where that cannot be done.

    Exactly one strong onset must lie within `sound_within_s` of the contact that the hands show, the sound's way taken off: in nets, bats
    are heard from every lane. What the hands and the ear say is weighted by how sure each is; the ear's share is the larger at common
    frame rates, and its error is the distance, which nobody stated.

    Args:
        onsets: on the clock of the track; None where there is no sound.
    """
    contact = delivery.events.get("contact")
    if contact is None or onsets is None:
        return delivery
    left = onsets.t_s - settings.sound_distance_m / SPEED_OF_SOUND_M_S
    near = (np.abs(left - contact.t_s) <= settings.sound_within_s) & (onsets.strength >= settings.sound_strength)
    if not near.any():
        return replace(delivery, sound=NOTHING_HEARD)
    strongest = int(np.argmax(np.where(near, onsets.strength, -np.inf)))
    others = near & (onsets.strength >= settings.sound_alone * onsets.strength[strongest])
    if others.sum() > 1:
        return replace(delivery, sound=SEVERAL_HEARD)
    heard_s, heard_sigma_s = (
        float(left[strongest]),
        float(np.hypot(settings.sound_delay_sigma_s, settings.errors["contact_by_sound"].sigma_s)),
    )
    by_ear, by_hands = heard_sigma_s**-2, contact.sigma_s**-2
    t_s = (heard_s * by_ear + contact.t_s * by_hands) / (by_ear + by_hands)
    sigma_s = (by_ear + by_hands) ** -0.5
    both = EventTime(t_s, sigma_s, delivery.track.frame_at(t_s), "the sound of the bat, and the hands")
    return replace(delivery, events=in_order({**delivery.events, "contact": both}), contact_by="sound")
