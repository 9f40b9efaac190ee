"""An identity provider for tests: real keys, real tokens, its public keys served over HTTP."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import get_default_algorithms
from jwt.utils import base64url_encode

ISSUER, AUDIENCE = "https://id.example.org/", "cricksy"


class IdentityProvider:
    """Serves its keys at `url` until stopped. `status` other than 200 is answered instead of them; `asked` counts."""

    def __init__(self) -> None:
        self.private: dict[str, tuple[str, Any]] = {}
        self.published: list[dict[str, Any]] = []
        self.status, self.asked, self.location, self.body = 200, 0, None, None
        provider = self

        class Answers(BaseHTTPRequestHandler):
            def do_GET(self):
                provider.asked += 1
                content = provider.body if provider.body is not None else json.dumps({"keys": provider.published}).encode()
                self.send_response(provider.status)
                if provider.location:
                    self.send_header("Location", provider.location)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/jwks.json"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def new_key(self, kid: str, algorithm: str = "ES256", *, publish: bool = True, **also: Any) -> Any:
        """Make a key pair of a name; its public half is published."""
        private = _MAKERS[algorithm]()
        self.private[kid] = (algorithm, private)
        if publish:
            public = get_default_algorithms()[algorithm].to_jwk(private.public_key(), as_dict=True)
            self.published.append({**public, "kid": kid, "use": "sig", "alg": algorithm, **also})
        return private

    def withdraw(self, kid: str) -> None:
        self.published = [key for key in self.published if key["kid"] != kid]

    def token(self, kid: str = "one", *, headers: dict[str, Any] | None = None, **claims: Any) -> str:
        """A token of the coach `anna`, member of two clubs, good for an hour; claims that are None are left out."""
        algorithm, private = self.private[kid]
        header = {"alg": algorithm, "typ": "JWT", "kid": kid, **(headers or {})}
        # Signed by hand: the library would not put its name to some of the claims that it has to refuse.
        parts = b".".join(base64url_encode(json.dumps(part).encode()) for part in (header, said(**claims)))
        return b".".join([parts, base64url_encode(get_default_algorithms()[algorithm].sign(parts, private))]).decode()


def said(**claims: Any) -> dict[str, Any]:
    """The claims of a good token, with these in place of its own."""
    now = int(time.time())
    usual = {"iss": ISSUER, "aud": AUDIENCE, "sub": "anna", "orgs": ["north", "south"], "iat": now, "exp": now + 3600}
    return {name: value for name, value in {**usual, **claims}.items() if value is not None}


_MAKERS = {
    "RS256": lambda: rsa.generate_private_key(65537, 2048),
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "ES384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate,
}
