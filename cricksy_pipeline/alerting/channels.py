"""Which channel alerts take: the log, Slack, SNS or e-mail.

Belongs here: the choice, made from settings that are checked whole before the first alert. Does not belong here: how an alert travels
(`slack`, `sns`, `mail`), who has which target (`routes`).
"""

from __future__ import annotations

import logging
from collections.abc import Collection

from pydantic import SecretStr

from cricksy_pipeline.alerting import mail, slack, sns
from cricksy_pipeline.alerting.alert import Alert, Notifier, Severity
from cricksy_pipeline.alerting.routes import read_routes


def open_notifier(
    channel: str,
    *,
    owners: Collection[str],
    routes: SecretStr | None = None,
    smtp_url: SecretStr | None = None,
    sender: str | None = None,
) -> Notifier:
    """The channel that the settings name. Nothing is connected before the first alert.

    Args:
        channel: log, slack, sns or email.
        owners: everyone who may get an alert.
        routes: JSON, owner to target; not looked at by the log.
        smtp_url: mail server, for e-mail.
        sender: From address, for e-mail.

    Raises:
        BadAlertSettings: naming the variable and what is wrong with it.
        ValueError: no such channel.
    """
    if channel == "log":
        return LogNotifier()
    if channel == "slack":
        return slack.SlackNotifier(read_routes(routes, owners, slack.webhook_fault))
    if channel == "sns":
        return sns.SnsNotifier(read_routes(routes, owners, sns.topic_fault))
    if channel == "email":
        targets = read_routes(routes, owners, mail.address_fault)
        return mail.EmailNotifier(targets, mail.read_mail_server(smtp_url), mail.read_sender(sender))
    raise ValueError(f"there is no alert channel {channel!r}")


class LogNotifier:
    """Writes alerts to the log `cricksy.alerts`, for machines on which nobody has set anything."""

    log = logging.getLogger("cricksy.alerts")

    def send(self, alert: Alert) -> None:
        """Never fails. A recovery is a warning too: Python shows nothing below that where no logging is set up."""
        level = logging.ERROR if alert.severity is Severity.FAILING else logging.WARNING
        self.log.log(level, "%s\n%s", alert.subject, alert.body)
