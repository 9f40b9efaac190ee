"""Alerts by e-mail.

Belongs here: the mail server's address, the message, handing it in. Does not belong here: who gets what (`routes`).
"""

from __future__ import annotations

import contextlib
import re
import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr

from cricksy_pipeline.alerting.alert import TIMEOUT_S, Alert, AlertNotSent
from cricksy_pipeline.alerting.routes import BadAlertSettings, Routes, target_of

_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")


def address_fault(target: str) -> str | None:
    """What is wrong with an e-mail address."""
    return None if _ADDRESS.fullmatch(target) else "not an e-mail address"


def read_sender(sender: str | None) -> str:
    """The From address. Raises BadAlertSettings where it is not one."""
    if not sender or address_fault(sender):
        raise BadAlertSettings("CRICKSY_ALERT_FROM: needed for e-mail, one e-mail address")
    return sender


@dataclass(frozen=True)
class MailServer:
    """Where mail is handed in.

    Attributes:
        tls: encrypted from the first byte (smtps); otherwise from the moment the server offers STARTTLS.
        user: None where the server wants none.
    """

    host: str
    port: int
    tls: bool
    user: str | None
    password: SecretStr


def read_mail_server(url: SecretStr | None) -> MailServer:
    """The server of `smtp://user:password@host:587` or `smtps://...`; ports 587 and 465 where none is named.

    Raises:
        BadAlertSettings: not set, or not such an address.
    """
    if (server := _mail_server(url)) is None:
        raise BadAlertSettings(
            "CRICKSY_ALERT_SMTP_URL: needed for e-mail, as smtp://user:password@host:587 or smtps://... , in ASCII, "
            "with %40 for an @ (and so on) in user and password"
        )
    return server


def _mail_server(url: SecretStr | None) -> MailServer | None:
    try:
        parts = urlsplit(url.get_secret_value() if url else "")
        tls = parts.scheme == "smtps"
        port = parts.port or (465 if tls else 587)
    except ValueError:  # its message quotes what it could not read, which may be the password
        return None
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    named = parts.scheme in ("smtp", "smtps") and bool(parts.hostname) and parts.path in ("", "/") and not parts.query + parts.fragment
    if not named or bool(user) != bool(password) or not f"{parts.hostname}{user}{password}".isascii():
        return None
    return MailServer(parts.hostname, port, tls, user or None, SecretStr(password))


class EmailNotifier:
    """One mail server for all owners. A password goes over an encrypted connection or not at all."""

    def __init__(self, routes: Routes, server: MailServer, sender: str, *, timeout_s: float = TIMEOUT_S) -> None:
        self._routes, self._server, self._sender, self._timeout_s = routes, server, sender, timeout_s

    def send(self, alert: Alert) -> None:
        """Hand the message to the server."""
        if reason := self._deliver(self._message(alert, target_of(self._routes, alert).get_secret_value())):
            raise AlertNotSent(alert, f"mail server {self._server.host}:{self._server.port} {reason}")

    def _message(self, alert: Alert, recipient: str) -> EmailMessage:
        message = EmailMessage()
        message["Subject"], message["From"], message["To"] = alert.subject, self._sender, recipient
        # The same for every repetition: mail programs show one of them.
        message["Message-ID"] = f"<{alert.fingerprint}@{self._sender.partition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(alert.body)
        return message

    def _deliver(self, message: EmailMessage) -> str | None:
        """What went wrong, or None."""
        try:
            with contextlib.closing(self._connected()) as smtp:
                if self._server.user is not None:
                    if not isinstance(smtp.sock, ssl.SSLSocket):
                        return "offers no encryption, so the password was not sent"
                    smtp.login(self._server.user, self._server.password.get_secret_value())
                smtp.send_message(message)
                with contextlib.suppress(OSError, smtplib.SMTPException):  # it has taken the message, however it says goodbye
                    smtp.quit()
        except smtplib.SMTPRecipientsRefused as error:
            return f"refused the recipient ({', '.join(str(code) for code, _ in error.recipients.values())})"
        except smtplib.SMTPAuthenticationError as error:
            return f"refused user and password ({error.smtp_code})"
        except smtplib.SMTPResponseException as error:
            return f"answered {error.smtp_code}"
        except ssl.SSLCertVerificationError as error:
            return f"has a certificate that does not hold ({error.verify_message})"
        except (TimeoutError, smtplib.SMTPServerDisconnected):  # smtplib does not tell one from the other
            return f"broke off, or did not answer within {self._timeout_s:g} s"
        except (OSError, smtplib.SMTPException) as error:
            return f"could not be used ({type(error).__name__})"
        return None

    def _connected(self) -> smtplib.SMTP:
        place, context = (self._server.host, self._server.port), ssl.create_default_context()
        if self._server.tls:
            return smtplib.SMTP_SSL(*place, timeout=self._timeout_s, context=context)
        smtp = smtplib.SMTP(*place, timeout=self._timeout_s)
        try:
            smtp.ehlo_or_helo_if_needed()
            if smtp.has_extn("starttls"):
                smtp.starttls(context=context)
        except BaseException:
            smtp.close()
            raise
        return smtp
