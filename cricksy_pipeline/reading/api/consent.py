"""Consent, retention and faces, as a session's reader sees them and a coach says them.

Belongs here: the fields that the read model and what may be said of a session share. Does not belong here: which values can be meant
together (`store.consent`), the routes of sessions.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, BaseModel, Field, Strict

from cricksy_pipeline.store.consent import MOST_NAME

Said = Annotated[bool, Strict()]
"""True or false; no word or number is a consent."""


class ConsentAndRetention(BaseModel):
    """Null, everywhere: nobody said. In a change, what is left out stays as it is, and null takes it back."""

    consent_given: Said | None = Field(
        None, description="Whether the filmed person agreed to be filmed and analysed. False: refused, or withdrawn. Never assumed."
    )
    consent_by: str | None = Field(
        None, max_length=MOST_NAME, description="Who gave (or refused) the consent: a name. Needed with a consent."
    )
    consent_at: AwareDatetime | None = Field(None, description="When it was given. Needed with a consent; never in the future.")
    consent_by_guardian: Said | None = Field(None, description="Whether a guardian gave it. Needed, and true, for a consent for a minor.")
    player_is_minor: Said | None = Field(None, description="Whether the filmed person is a minor.")
    retention_until: AwareDatetime | None = Field(
        None,
        description="Until when the video is kept. Within the hour after it the session is deleted, with its video and all that was made "
        "of it. Null: until somebody deletes it.",
    )
    blur_faces: Said | None = Field(None, description="Whether faces are blurred in what is exported (overlay video and clips).")
