"""What an alert is, and what every channel promises.

Belongs here: the message and how it reads as plain text. Does not belong here: when one is due (`escalation`), how it travels (`channels`).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

TIMEOUT_S = 10.0
"""How long a channel waits for one answer. A tick that tells every owner stays below the 60 seconds that Dagster gives it."""


class Severity(StrEnum):
    """What the owner should do: look into it, or no longer."""

    FAILING = "failing"
    RECOVERED = "recovered"


@dataclass(frozen=True)
class Link:
    """An address, and what a person finds there."""

    label: str
    url: str


@dataclass(frozen=True)
class Alert:
    """One message to one owner.

    Attributes:
        owner: whom it concerns, as Dagster shows it: `team:data-engineering`.
        title: one line.
        text: what happened, how often, since when, what to do. Lines.
        key: the same for every repetition of the same alert, and for no other; receivers may use it to drop a second copy.
    """

    owner: str
    title: str
    text: str
    severity: Severity
    key: str
    links: tuple[Link, ...] = ()

    @property
    def subject(self) -> str:
        """The title with owner and severity, on one line whatever is in it."""
        return " ".join(f"Cricksy {self.severity}: {self.title}, for {self.owner}".split())

    @property
    def body(self) -> str:
        """The text with its links as lines."""
        return "\n".join([self.text, *(f"{link.label}: {link.url}" for link in self.links)])

    @property
    def fingerprint(self) -> str:
        """The key as 32 characters that fit where few characters are allowed."""
        return hashlib.sha256(self.key.encode()).hexdigest()[:32]


class AlertNotSent(Exception):
    """A channel did not take an alert. The message names the owner and the reason, never a webhook address or a password.

    It is raised outside the handler of the error that it stands for: that one may quote an address, and would be logged with it.
    """

    def __init__(self, alert: Alert, reason: str) -> None:
        super().__init__(f"The alert to {alert.owner} was not sent: {reason}. It said: {alert.title}")
        self.reason = reason


class Notifier(Protocol):
    """A channel."""

    def send(self, alert: Alert) -> None:
        """Hand the alert over. Returns once the other side has taken it.

        Raises:
            AlertNotSent: it has not, or has not said so in time.
        """
        ...
