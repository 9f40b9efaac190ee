"""Alerts through Slack's incoming webhooks.

Belongs here: which addresses are webhooks, Slack's markup, the POST. Does not belong here: who gets what (`routes`). Whoever knows a
webhook's address can write to the channel, so the address is a secret.
"""

from __future__ import annotations

import http.client
import json
import re
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr

from cricksy_pipeline.alerting.alert import TIMEOUT_S, Alert, AlertNotSent, Severity
from cricksy_pipeline.alerting.routes import Routes, target_of

_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


def webhook_fault(target: str) -> str | None:
    """What is wrong with a webhook's address; plain http is for this machine only."""
    try:
        parts = urlsplit(target)
        encrypted = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
        usable = encrypted and bool(parts.hostname) and parts.port != 0 and not parts.username
    except ValueError:
        usable = False
    plain = target.isascii() and target.isprintable() and " " not in target
    return None if usable and plain else "not an https address"


class SlackNotifier:
    """Slack, and what imitates its webhooks (Mattermost and others)."""

    def __init__(self, routes: Routes, *, timeout_s: float = TIMEOUT_S) -> None:
        self._routes, self._timeout_s = routes, timeout_s

    def send(self, alert: Alert) -> None:
        """POST the alert; anything but a 2xx answer is a failure."""
        address = target_of(self._routes, alert)
        if reason := self._post(address, {"text": slack_text(alert)}):
            raise AlertNotSent(alert, f"Slack {reason}")

    def _post(self, address: SecretStr, document: dict[str, str]) -> str | None:
        """What went wrong, or None."""
        headers = {"Content-Type": "application/json; charset=utf-8", "User-Agent": "cricksy-alerts"}
        try:
            request = urllib.request.Request(address.get_secret_value(), json.dumps(document).encode(), headers, method="POST")
            with _NO_REDIRECTS.open(request, timeout=self._timeout_s):
                return None
        except urllib.error.HTTPError as error:
            with error:
                return f"answered {error.code}{_word_of(error)}"
        except TimeoutError:
            return f"did not answer within {self._timeout_s:g} s"
        except urllib.error.URLError as error:
            return f"could not be reached ({type(error.reason).__name__})"
        except (OSError, http.client.HTTPException) as error:
            return f"broke off ({type(error).__name__})"


class _RefuseRedirects(urllib.request.HTTPRedirectHandler):
    """A redirected POST becomes a GET, which a login page answers with 200: the alert would count as sent and be lost."""

    def redirect_request(self, *_: Any) -> None:
        return None


_NO_REDIRECTS = urllib.request.build_opener(_RefuseRedirects)


def _word_of(error: urllib.error.HTTPError) -> str:
    """Slack's own word for it (`channel_is_archived`). Nothing longer: the page of a proxy may quote the address."""
    try:
        said = error.read(64).decode(errors="replace").strip()
    except (OSError, http.client.HTTPException):
        return ""
    return f" ({said})" if re.fullmatch(r"[a-z]+(_[a-z]+)*", said) else ""


def slack_text(alert: Alert) -> str:
    """The alert in Slack's markup. What others wrote (an error message) can neither mention anybody nor make a link."""
    icon = ":red_circle:" if alert.severity is Severity.FAILING else ":large_green_circle:"
    links = [f"<{_escaped(link.url).replace('|', '%7C')}|{_escaped(link.label)}>" for link in alert.links]
    return "\n".join([f"{icon} *{_escaped(alert.subject)}*", _escaped(alert.text), *links])


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
