"""Which tokens are believed, with the keys of an issuer that answers over HTTP, and with a shared secret."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jwt.algorithms import get_default_algorithms

from cricksy_pipeline.errors import CricksyError
from cricksy_pipeline.reading.api.signing_keys import PublicKeys, SharedSecret
from cricksy_pipeline.reading.api.tokens import AuthRequired, Caller, Tokens
from cricksy_pipeline_tests.reading.api.identity_provider import AUDIENCE, ISSUER, IdentityProvider, said

SECRET = b"shared by the issuer and this API alone"
WITH_SECRET = Tokens(SharedSecret(SECRET), ISSUER, AUDIENCE)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
def running():
    provider = IdentityProvider()
    yield provider
    provider.stop()


@pytest.fixture
def provider(running):
    running.published, running.status, running.asked, running.location, running.body = [], 200, 0, None, None
    running.new_key("one")
    return running


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def tokens(provider, clock):
    return Tokens(PublicKeys(provider.url, clock=clock), ISSUER, AUDIENCE)


def refused(tokens: Tokens, token: str) -> str:
    with pytest.raises(AuthRequired) as caught:
        tokens.caller_of(token)
    assert token[-20:] not in str(caught.value)
    return caught.value.message


def handmade(header: dict, claims: dict, key: bytes = b"", digest: str = "sha256") -> str:
    """A token as an attacker builds it, past all checks of a library."""
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (header, claims)]
    signature = hmac.new(key, b".".join(parts), digest).digest() if key else b""
    return b".".join([*parts, base64.urlsafe_b64encode(signature).rstrip(b"=")]).decode()


def test_a_token_of_the_issuer_names_the_coach_and_his_organisations(provider, tokens):
    caller = tokens.caller_of(provider.token())
    assert (caller.coach_id, caller.orgs) == ("anna", frozenset({"north", "south"}))
    assert caller.owners == {("coach", "anna"), ("org", "north"), ("org", "south")}
    assert 0 < caller.expires - time.time() <= 3600


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
def test_each_kind_of_key_that_is_accepted_is_believed(provider, tokens, algorithm):
    provider.new_key(algorithm, algorithm)
    assert tokens.caller_of(provider.token(algorithm)).coach_id == "anna"


def test_keys_are_fetched_when_first_needed_and_then_kept(provider, tokens):
    assert provider.asked == 0
    for _ in range(5):
        tokens.caller_of(provider.token())
    assert provider.asked == 1


def test_a_new_key_of_the_issuer_is_believed_at_once(provider, tokens, clock):
    tokens.caller_of(provider.token())
    provider.new_key("two")
    clock.now += 11
    assert tokens.caller_of(provider.token("two")).coach_id == "anna"
    assert provider.asked == 2


def test_a_key_that_the_issuer_withdrew_is_believed_no_longer_than_it_may_be_kept(provider, tokens, clock):
    old = provider.token()
    tokens.caller_of(old)
    provider.new_key("two")
    provider.withdraw("one")
    clock.now += 599
    tokens.caller_of(old)
    clock.now += 2
    assert "does not publish" in refused(tokens, old)


def test_names_of_keys_that_nobody_has_do_not_make_us_ask_the_issuer_without_end(provider, tokens):
    provider.new_key("stranger", publish=False)
    tokens.caller_of(provider.token())
    for number in range(20):
        refused(tokens, provider.token("stranger", headers={"kid": f"made-up-{number}"}))
    assert provider.asked == 1


def test_many_at_once_ask_the_issuer_once(provider, tokens):
    token, callers = provider.token(), []
    threads = [threading.Thread(target=lambda: callers.append(tokens.caller_of(token))) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(callers) == 16 and provider.asked == 1


def test_while_the_issuer_does_not_answer_known_keys_hold_for_a_while_and_then_nobody_is_believed(provider, tokens, clock):
    tokens.caller_of(provider.token())
    provider.status = 500
    clock.now += 3000
    assert tokens.caller_of(provider.token()).coach_id == "anna"
    clock.now += 700
    with pytest.raises(CricksyError) as caught:
        tokens.caller_of(provider.token())
    assert caught.value.code == "KEYS_UNAVAILABLE" and caught.value.transient
    provider.status = 200
    clock.now += 11
    assert tokens.caller_of(provider.token()).coach_id == "anna"


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"keys": 3}', b'{"keys": null}', b" " * 300_000, b"\xff"])
def test_what_is_no_set_of_keys_is_as_if_the_issuer_did_not_answer(provider, tokens, body):
    provider.body = body
    with pytest.raises(CricksyError) as caught:
        tokens.caller_of(provider.token())
    assert caught.value.code == "KEYS_UNAVAILABLE"


def test_an_issuer_that_leads_away_from_a_safe_address_is_not_followed(provider, tokens):
    provider.status, provider.location = 302, "http://example.org/jwks.json"
    with pytest.raises(CricksyError) as caught:
        tokens.caller_of(provider.token())
    assert caught.value.code == "KEYS_UNAVAILABLE"


def test_strange_keys_in_the_set_do_no_harm_to_the_good_one(provider, tokens):
    symmetric = {"kty": "oct", "kid": "one-more", "k": base64.urlsafe_b64encode(SECRET).decode(), "alg": "HS256"}
    strange = [
        symmetric,
        7,
        {},
        {"kty": "RSA", "kid": "x"},
        {"kty": "EC", "crv": "P-256", "kid": ["a"]},
        {"kty": [], "kid": "y"},
        {"key_ops": 3},
    ]
    provider.published = [*strange, *provider.published]
    assert tokens.caller_of(provider.token()).coach_id == "anna"


@pytest.mark.parametrize("said_of_it", [{"use": "enc"}, {"key_ops": ["encrypt"]}, {"alg": "ES384"}, {"d": "AAAA"}])
def test_a_key_that_is_for_something_else_signs_no_token(provider, tokens, said_of_it):
    provider.new_key("other", **said_of_it)
    refused(tokens, provider.token("other"))


def test_a_key_signs_in_the_one_way_that_the_issuer_says_of_it(provider, clock):
    tokens = Tokens(PublicKeys(provider.url, algorithms=("RS256", "PS256"), clock=clock), ISSUER, AUDIENCE)
    provider.new_key("rsa", "RS256")
    assert tokens.caller_of(provider.token("rsa")).coach_id == "anna"
    provider.private["rsa"] = ("PS256", provider.private["rsa"][1])
    refused(tokens, provider.token("rsa"))


def test_a_private_key_that_was_published_by_mistake_signs_nothing(provider, tokens):
    algorithm, private = provider.private["one"]
    whole = get_default_algorithms()[algorithm].to_jwk(private, as_dict=True)
    provider.published = [{**provider.published[0], **whole}]
    assert "d" in whole
    refused(tokens, provider.token())


def test_a_token_that_names_no_key_is_believed_only_where_there_is_but_one(provider, tokens, clock):
    algorithm, private = provider.private["one"]
    nameless = jwt.encode(said(), private, algorithm)
    assert tokens.caller_of(nameless).coach_id == "anna"
    provider.new_key("two")
    clock.now += 601
    refused(tokens, nameless)


@pytest.mark.parametrize(
    ("claims", "words"),
    [
        ({"exp": int(time.time()) - 31}, "expired"),
        ({"exp": None}, "lacks"),
        ({"exp": "tomorrow"}, "cannot be read"),
        ({"nbf": int(time.time()) + 86_400}, "not valid yet"),
        ({"iat": int(time.time()) + 86_400}, "not valid yet"),
        ({"iss": "https://id.example.com/"}, "issuer"),
        ({"iss": None}, "lacks"),
        ({"iss": [ISSUER]}, "issuer"),
        ({"aud": "another service"}, "not made for this service"),
        ({"aud": ["another", "service"]}, "not made for this service"),
        ({"aud": None}, "lacks"),
        ({"aud": 3}, "not made for this service"),
        ({"sub": None}, "lacks"),
        ({"sub": ""}, "coach"),
        ({"sub": 7}, ""),
        ({"sub": "a\nb"}, "coach"),
        ({"sub": "x" * 256}, "coach"),
        ({"orgs": "north"}, "organisations"),
        ({"orgs": [7]}, "organisations"),
        ({"orgs": {"north": True}}, "organisations"),
        ({"orgs": [""]}, "organisations"),
    ],
)
@pytest.mark.parametrize("kind", ["published key", "secret"])
def test_a_token_with_a_claim_that_does_not_hold_is_refused_in_clear_words(provider, tokens, kind, claims, words):
    if kind == "secret":
        assert words in refused(WITH_SECRET, _signed(said(**claims)))
    else:
        assert words in refused(tokens, provider.token(**claims))


def _signed(claims: dict) -> str:
    return handmade({"alg": "HS256", "typ": "JWT"}, claims, SECRET)


def test_clocks_may_differ_by_the_leeway_and_no_more(provider, tokens):
    now = int(time.time())
    assert tokens.caller_of(provider.token(exp=now - 20, nbf=now + 20)).coach_id == "anna"
    refused(tokens, provider.token(exp=now - 40))
    refused(tokens, provider.token(nbf=now + 60))


def test_a_token_without_organisations_is_of_the_coach_alone(provider, tokens):
    assert tokens.caller_of(provider.token(orgs=None)).owners == {("coach", "anna")}


def test_one_of_several_audiences_is_enough(provider, tokens):
    assert tokens.caller_of(provider.token(aud=["another service", AUDIENCE])).coach_id == "anna"


def test_the_claims_can_have_other_names(provider):
    tokens = Tokens(PublicKeys(provider.url), ISSUER, AUDIENCE, coach_claim="https://cricksy/coach", orgs_claim="clubs")
    caller = tokens.caller_of(provider.token(**{"https://cricksy/coach": "c1", "clubs": ["west"]}))
    assert caller.owners == {("coach", "c1"), ("org", "west")}
    assert "lacks" in refused(tokens, provider.token())


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "", None, "HS256", "HS512", ["ES256"], 3])
def test_no_token_chooses_its_own_algorithm(provider, tokens, algorithm):
    for kid in ("one", None):
        refused(tokens, handmade({"alg": algorithm, "typ": "JWT", "kid": kid}, said()))
        refused(WITH_SECRET, handmade({"alg": algorithm, "typ": "JWT"}, said(), b"" if algorithm == "HS256" else SECRET))


def test_a_public_key_used_as_a_secret_signs_nothing(provider, tokens):
    _, private = provider.private["one"]
    public = private.public_key()
    for key in (
        public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        json.dumps(provider.published[0]).encode(),
    ):
        for claimed in ("HS256", "ES256"):
            refused(tokens, handmade({"alg": claimed, "kid": "one"}, said(), key))


def test_a_key_of_one_kind_does_not_pass_for_another(provider, tokens):
    provider.new_key("rsa", "RS256")
    for kid, other in (("rsa", "one"), ("one", "rsa")):
        refused(tokens, provider.token(kid, headers={"kid": other}))


def test_a_token_signed_with_a_stranger_s_key_of_the_right_name_is_refused(provider, tokens):
    provider.new_key("one", publish=False)
    assert "signature" in refused(tokens, provider.token("one"))


def test_keys_that_a_token_brings_along_are_not_used(provider, tokens):
    provider.new_key("mine", publish=False)
    for headers in ({"jku": "http://127.0.0.1:1/"}, {"x5u": "http://127.0.0.1:1/"}, {"jwk": dict(provider.published[0])}):
        refused(tokens, provider.token("mine", headers=headers))


def test_a_shared_secret_signs_and_another_does_not():
    assert WITH_SECRET.caller_of(jwt.encode(said(), SECRET, "HS256")).coach_id == "anna"
    assert "signature" in refused(WITH_SECRET, jwt.encode(said(), SECRET[::-1], "HS256"))
    assert "not accepted" in refused(WITH_SECRET, jwt.encode(said(), SECRET + hashlib.sha256(SECRET).digest(), "HS512"))


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_token_with_any_one_character_changed_is_refused(data):
    """But for the last of the signature, whose lowest bits are padding, and the library's leave to read them as it likes."""
    good = jwt.encode(said(), SECRET, "HS256")
    place = data.draw(st.integers(0, len(good) - 2))
    other = data.draw(st.characters().filter(lambda letter: letter != good[place]))
    with pytest.raises(AuthRequired):
        WITH_SECRET.caller_of(good[:place] + other + good[place + 1 :])


@settings(deadline=None, max_examples=80)
@given(st.one_of(st.text(max_size=60), st.lists(st.text("abcXYZ019-_=", max_size=12), min_size=2, max_size=5).map(".".join)))
def test_no_text_is_a_token_by_chance(text):
    with pytest.raises(AuthRequired):
        WITH_SECRET.caller_of(text)


def test_a_token_of_absurd_length_is_refused_unread():
    assert "too long" in refused(WITH_SECRET, jwt.encode(said(orgs=["x" * 200] * 100), SECRET, "HS256"))


@pytest.mark.parametrize("secret", [b"", b"short", b"x" * 31])
def test_a_secret_too_short_to_be_one_is_refused_at_the_start(secret):
    with pytest.raises(ValueError, match="32"):
        SharedSecret(secret)


def test_a_public_key_is_refused_as_a_secret_at_the_start(provider):
    pem = provider.private["one"][1].public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    with pytest.raises(ValueError, match="no secret"):
        SharedSecret(pem)


@pytest.mark.parametrize(
    "url", ["http://id.example.org/jwks", "ftp://127.0.0.1/", "file:///etc/passwd", "https://", "", "jwks.json", "http://["]
)
def test_keys_are_fetched_from_safe_addresses_only(url):
    with pytest.raises(ValueError, match="https"):
        PublicKeys(url)


@pytest.mark.parametrize("names", [(), ("HS256",), ("none",), ("RS256", "HS256")])
def test_public_keys_are_never_believed_beside_a_secret(names):
    with pytest.raises(ValueError, match="can be signed"):
        PublicKeys("https://id.example.org/jwks", algorithms=names)


@given(st.text(min_size=1), st.frozensets(st.text(min_size=1)), st.sampled_from(["coach", "org"]), st.text(min_size=1))
def test_a_caller_sees_what_is_his_or_his_organisations_and_nothing_else(coach, orgs, owner_type, owner_id):
    seen = Caller(coach, orgs).may_see(owner_type, owner_id)
    assert seen == (owner_id == coach if owner_type == "coach" else owner_id in orgs)
