"""A web server that takes what is posted to it, or answers badly, or not at all."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Webhook:
    """How the server answers, and what it got.

    Attributes:
        silent: never answers; a client has to give up.
        requests: (method, path, document).
    """

    status: int = 200
    answer: str = "ok"
    headers: dict[str, str] = field(default_factory=dict)
    silent: bool = False
    port: int = 0
    requests: list[tuple[str, str, Any]] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def address(self) -> str:
        """A webhook of this server, with the secret part that Slack's have."""
        return f"http://127.0.0.1:{self.port}/services/T000/B000/SeCrEtTaIl"


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        hook: Webhook = self.server.hook  # type: ignore[attr-defined]
        content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        hook.requests.append((self.command, self.path, json.loads(content) if content else None))
        if hook.silent:
            hook.over.wait()
            return
        self.send_response(hook.status)
        for name, value in hook.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(hook.answer)))
        self.end_headers()
        self.wfile.write(hook.answer.encode())

    do_GET = do_POST

    def log_message(self, *_) -> None:
        """Tests print nothing."""


@contextlib.contextmanager
def serving(hook: Webhook) -> Iterator[Webhook]:
    """The webhook, answering on `port` of 127.0.0.1."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        server.daemon_threads = True
        server.hook = hook
        hook.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield hook
        finally:
            hook.over.set()
            server.shutdown()
            thread.join()
