"""Alerts through Amazon SNS.

Belongs here: which targets are topics, the call. Does not belong here: who gets what (`routes`), credentials (boto3 finds them).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cricksy_pipeline.alerting.alert import TIMEOUT_S, Alert, AlertNotSent
from cricksy_pipeline.alerting.routes import Routes, target_of

if TYPE_CHECKING:
    from botocore.client import BaseClient

_ARN = re.compile(r"arn:aws[a-z-]*:sns:(?P<region>[a-z0-9-]+):\d{12}:[A-Za-z0-9_-]{1,256}(?P<fifo>\.fifo)?")


def topic_fault(target: str) -> str | None:
    """What is wrong with the ARN of a topic."""
    return None if _ARN.fullmatch(target) else "not the ARN of an SNS topic (arn:aws:sns:REGION:ACCOUNT:NAME)"


class SnsNotifier:
    """A topic per owner, each called in its own region."""

    def __init__(self, routes: Routes, *, timeout_s: float = TIMEOUT_S) -> None:
        self._routes, self._timeout_s = routes, timeout_s
        self._clients: dict[str, BaseClient] = {}

    def send(self, alert: Alert) -> None:
        """Publish the alert, with owner, severity and key as attributes that a subscription can filter by."""
        arn = target_of(self._routes, alert).get_secret_value()
        if reason := self._publish(arn, alert):
            raise AlertNotSent(alert, f"SNS topic {arn} {reason}")

    def _publish(self, arn: str, alert: Alert) -> str | None:
        """What went wrong, or None."""
        from botocore.exceptions import BotoCoreError, ClientError

        parts = _ARN.fullmatch(arn)
        attributes = {"owner": alert.owner, "severity": alert.severity.value, "key": alert.key}
        in_order = {"MessageGroupId": alert.owner, "MessageDeduplicationId": alert.fingerprint} if parts["fifo"] else {}
        try:
            self._client(parts["region"]).publish(
                TopicArn=arn,
                Subject=alert.subject.encode("ascii", "replace").decode()[:100],  # SNS takes nothing else
                Message=alert.body,
                MessageAttributes={name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()},
                **in_order,
            )
        except ClientError as error:
            return f"refused it ({error.response.get('Error', {}).get('Code', 'no code')})"
        except BotoCoreError as error:
            return f"could not be reached ({type(error).__name__})"
        return None

    def _client(self, region: str) -> BaseClient:
        if region not in self._clients:
            import boto3
            from botocore.config import Config

            # No retries here: the sensor looks again in half a minute.
            waits = Config(connect_timeout=self._timeout_s, read_timeout=self._timeout_s, retries={"total_max_attempts": 1})
            self._clients[region] = boto3.client("sns", region_name=region, config=waits)
        return self._clients[region]
