"""A mail server that speaks as much SMTP as a client of ours needs: EHLO, STARTTLS, AUTH PLAIN, one message at a time.

Belongs here: the protocol, and a certificate made on the spot. Does not belong here: what is expected of the client (`test_channels`).
Python's own `smtpd` is gone since 3.12.
"""

from __future__ import annotations

import base64
import contextlib
import datetime
import email
import email.policy
import ipaddress
import socketserver
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path


@dataclass
class Mailbox:
    """How the server behaves, and what it got.

    Attributes:
        tls: offered after EHLO; None for a server without encryption.
        implicit_tls: encrypted from the first byte.
        login: the one user and password it takes; None where it wants none.
        answers: by command, said in place of the usual answer.
    """

    tls: ssl.SSLContext | None = None
    implicit_tls: bool = False
    login: tuple[str, str] | None = None
    answers: dict[str, str] = field(default_factory=dict)
    port: int = 0
    messages: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)


class _Session(socketserver.StreamRequestHandler):
    """One connection."""

    def setup(self) -> None:
        self.box: Mailbox = self.server.box  # type: ignore[attr-defined]
        if self.box.implicit_tls:
            self.request = self.box.tls.wrap_socket(self.request, server_side=True)
        super().setup()

    def handle(self) -> None:
        self.say("220 mail.test ESMTP")
        while line := self.rfile.readline():
            text = line.decode(errors="replace").rstrip("\r\n")
            self.box.lines.append(text)
            command = text.split(" ")[0].upper()
            if command in self.box.answers:
                self.say(self.box.answers[command])
            elif not getattr(self, f"on_{command.lower()}", self.unknown)(text):
                return

    def say(self, line: str) -> None:
        self.wfile.write(line.encode() + b"\r\n")

    def unknown(self, _text: str) -> bool:
        self.say("502 what?")
        return True

    @property
    def encrypted(self) -> bool:
        return isinstance(self.request, ssl.SSLSocket)

    def on_ehlo(self, _text: str) -> bool:
        offers = ["mail.test"]
        if self.box.tls is not None and not self.encrypted:
            offers.append("STARTTLS")
        if self.box.login is not None:
            offers.append("AUTH PLAIN")
        for offer in offers[:-1]:
            self.say(f"250-{offer}")
        self.say(f"250 {offers[-1]}")
        return True

    def on_starttls(self, _text: str) -> bool:
        self.say("220 go ahead")
        try:
            self.request = self.connection = self.box.tls.wrap_socket(self.request, server_side=True)
        except (ssl.SSLError, OSError):  # the client does not trust the certificate
            return False
        self.rfile, self.wfile = self.request.makefile("rb"), self.request.makefile("wb", buffering=0)
        return True

    def on_auth(self, text: str) -> bool:
        _, user, password = base64.b64decode(text.split(" ")[2]).decode().split("\0")
        self.say("235 welcome" if (user, password) == self.box.login else "535 no")
        return True

    def on_mail(self, _text: str) -> bool:
        self.say("250 ok")
        return True

    def on_rcpt(self, text: str) -> bool:
        self.box.recipients.append(text.partition("<")[2].partition(">")[0])
        self.say("250 ok")
        return True

    def on_rset(self, _text: str) -> bool:
        self.say("250 ok")
        return True

    def on_data(self, _text: str) -> bool:
        self.say("354 end with .")
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line[1:] if line.startswith(b"..") else line)
        self.box.messages.append(email.message_from_bytes(b"".join(lines), policy=email.policy.default))
        self.box.encrypted.append(self.encrypted)
        self.say("250 taken")
        return True

    def on_quit(self, _text: str) -> bool:
        self.say("221 bye")
        return False


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, *_) -> None:
        """A client that goes away in the middle is part of the tests."""


@contextlib.contextmanager
def serving(box: Mailbox) -> Iterator[Mailbox]:
    """The mailbox, answering on `port` of 127.0.0.1."""
    with _Server(("127.0.0.1", 0), _Session) as server:
        server.box = box
        box.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield box
        finally:
            server.shutdown()
            thread.join()


def certificate(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """A self-signed certificate for 127.0.0.1: its file, for a client to trust, and a server's context."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail.test")])
    today = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - datetime.timedelta(days=1))
        .not_valid_after(today + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    public, private = folder / "server.pem", folder / "server.key"
    public.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    encoding = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    private.write_bytes(key.private_bytes(*encoding))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(public, private)
    return public, context
