"""From settings to a door: the embedded stack's, the configured issuer's, or none at all."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor

import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from cricksy_pipeline import stack
from cricksy_pipeline.cli import app
from cricksy_pipeline.reading.api.development import SECRET_FILE, development_secret, development_token
from cricksy_pipeline.reading.api.signing_keys import PublicKeys, SharedSecret
from cricksy_pipeline.settings import Settings
from cricksy_pipeline.store import embedded

ELSEWHERE = SecretStr("postgresql://someone:word@db.example.org/cricksy")
SECRET = SecretStr("a secret that issuer and API share, no one else")
ISSUED = {"jwt_issuer": "https://id.example.org/", "jwt_audience": "cricksy"}


def settings(tmp_path, **said) -> Settings:
    return Settings(data_dir=tmp_path, **said)


def test_with_nothing_said_it_is_the_embedded_stack_and_its_secret_is_its_own(tmp_path):
    access = stack.open_access(settings(tmp_path))
    token = development_token(development_secret(tmp_path), coach_id="anna")
    assert access.embedded and access.tokens.caller_of(token).coach_id == "anna"
    assert stat.S_IMODE((tmp_path / SECRET_FILE).stat().st_mode) == 0o600


def test_the_secret_is_made_once_however_many_ask_at_once(tmp_path):
    with ThreadPoolExecutor(16) as pool:
        made = set(pool.map(lambda _: development_secret(tmp_path / "data"), range(64)))
    assert len(made) == 1 and len(made.pop()) == 32
    assert [path.name for path in (tmp_path / "data").iterdir()] == [SECRET_FILE]


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"jwt_secret": SECRET},
        {"jwt_jwks_url": "https://id.example.org/jwks", "jwt_issuer": "https://id.example.org/"},
        {**ISSUED},
        {**ISSUED, "jwt_secret": SECRET, "jwt_jwks_url": "https://id.example.org/jwks"},
        {**ISSUED, "jwt_secret": SecretStr("short")},
        {**ISSUED, "jwt_jwks_url": "http://id.example.org/jwks"},
        {**ISSUED, "jwt_jwks_url": "https://id.example.org/jwks", "jwt_algorithms": "HS256"},
        {**ISSUED, "jwt_secret": SECRET, "limit_uploads": "often"},
    ],
)
def test_anywhere_else_an_api_that_would_not_know_its_callers_does_not_start(tmp_path, said):
    with pytest.raises(stack.BadAccessSettings) as caught:
        stack.open_access(settings(tmp_path, database_url=ELSEWHERE, **said))
    assert SECRET.get_secret_value() not in str(caught.value) and "CRICKSY_JWT" in caught.value.advice
    assert not (tmp_path / SECRET_FILE).exists()


def test_half_a_configuration_is_refused_on_the_embedded_stack_too(tmp_path):
    with pytest.raises(stack.BadAccessSettings):
        stack.open_access(settings(tmp_path, jwt_secret=SECRET))


def test_the_configured_issuer_is_the_only_one_also_on_the_embedded_stack(tmp_path):
    for database in (None, ELSEWHERE):
        access = stack.open_access(settings(tmp_path, database_url=database, jwt_secret=SECRET, jwt_coach_claim="coach", **ISSUED))
        assert not access.embedded and isinstance(access.tokens.keys, SharedSecret)
        assert (access.tokens.issuer, access.tokens.audience, access.tokens.coach_claim) == (*ISSUED.values(), "coach")


def test_published_keys_are_fetched_when_needed_and_not_at_the_start(tmp_path):
    said = {**ISSUED, "jwt_jwks_url": "https://id.invalid/jwks", "jwt_algorithms": "RS256, PS256"}
    access = stack.open_access(settings(tmp_path, database_url=ELSEWHERE, **said, public_url="https://cricksy.example.org"))
    assert isinstance(access.tokens.keys, PublicKeys) and access.tokens.keys.algorithms == ("RS256", "PS256") and access.https


def test_the_limits_are_the_settings(tmp_path):
    access = stack.open_access(settings(tmp_path, limit_uploads="7/minute", limit_address_share=2))
    assert (access.limits.uploads, access.limits.address_share, access.limits.sign_in) == ("7/minute", 2, "20/minute")


def test_no_secret_is_in_what_is_printed_of_an_access(tmp_path):
    access = stack.open_access(settings(tmp_path, jwt_secret=SECRET, **ISSUED))
    assert SECRET.get_secret_value() not in repr(access)


def test_the_embedded_server_s_own_address_is_the_embedded_stack_and_no_other_is(postgres, tmp_path, monkeypatch):
    """`cricksy dev` names its server to its children; to another data folder that very address is a stranger's."""
    url = postgres.url("postgres")
    assert embedded.serves(postgres.folder, url)
    others = (
        ELSEWHERE.get_secret_value(),
        "postgresql:///cricksy",
        url.replace("host=", "host=/elsewhere"),
        f"{url}&host=db.example.org",
        "nonsense",
    )
    assert not any(embedded.serves(postgres.folder, other) for other in others)
    assert not embedded.serves(tmp_path, url)
    home = tmp_path / "home"
    home.mkdir()
    (home / "postgres").symlink_to(postgres.folder)
    assert stack.is_embedded(settings(home, database_url=SecretStr(url)))
    assert not stack.is_embedded(settings(tmp_path, database_url=SecretStr(url)))


def test_the_command_prints_a_token_and_nothing_else(tmp_path, monkeypatch):
    monkeypatch.setenv("CRICKSY_DATA_DIR", str(tmp_path))
    printed = CliRunner().invoke(app, ["token", "--coach", "anna", "--org", "north", "--org", "south", "--hours", "1"])
    assert printed.exit_code == 0
    caller = stack.open_access(Settings()).tokens.caller_of(printed.stdout.removesuffix("\n"))
    assert (caller.coach_id, caller.orgs) == ("anna", {"north", "south"})


def test_where_tokens_of_an_issuer_are_believed_the_command_makes_none(tmp_path, monkeypatch):
    monkeypatch.setenv("CRICKSY_DATA_DIR", str(tmp_path))
    for name, value in {**ISSUED, "jwt_secret": SECRET.get_secret_value()}.items():
        monkeypatch.setenv(f"CRICKSY_{name.upper()}", value)
    printed = CliRunner().invoke(app, ["token"])
    assert printed.exit_code == 1 and "eyJ" not in printed.output
