"""Who a visitor is: the one token that proves it, and everything that looks like one."""

import base64
import hashlib
import hmac
import json
import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from channels.webchat import identity
from channels.webchat.identity import Key, Options, Proof, Refused

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
AT = int(NOW.timestamp())
SECRET = "0123456789abcdef0123456789abcdef"
OTHER_SECRET = "fedcba9876543210fedcba9876543210"
PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = PRIVATE.public_key().public_bytes(
    serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
)
OPTIONS = Options(
    keys=(
        Key(kid="old", secret=OTHER_SECRET),
        Key(kid="new", secret=SECRET),
        Key(kid="curve", algorithm="EdDSA", public_key=PUBLIC.decode()),
    )
)
CLAIMS: dict[str, Any] = {
    "sub": "user-42",
    "aud": "shop",
    "exp": AT + 600,
    "iat": AT,
    "jti": "c0ffee00c0ffee00",
    "email": "jan@Customer.Example",
    "name": "Jan",
}
HEADER: dict[str, Any] = {"alg": "HS256", "kid": "new", "typ": "JWT"}
REMOVED = object()


def encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def by_secret(secret: str) -> Callable[[bytes], bytes]:
    return lambda signed: hmac.digest(secret.encode(), signed, hashlib.sha256)


signed_well = by_secret(SECRET)


def token(
    claims: dict[str, Any] | None = None,
    header: dict[str, Any] | None = None,
    sign: Callable[[bytes], bytes] = signed_well,
) -> str:
    """Make a token as a site would, with some claims and header fields other than usual."""
    parts = [HEADER | (header or {}), CLAIMS | (claims or {})]
    kept = [{name: value for name, value in each.items() if value is not REMOVED} for each in parts]
    signed = ".".join(encoded(json.dumps(each).encode()) for each in kept)
    return f"{signed}.{encoded(sign(signed.encode()))}"


def curve(claims: dict[str, Any] | None = None, header: dict[str, Any] | None = None) -> str:
    return token(claims, {"alg": "EdDSA", "kid": "curve"} | (header or {}), PRIVATE.sign)


def proof(text: str, *, audience: str = "shop", now: datetime = NOW) -> Proof:
    return identity.verified(text, OPTIONS, audience=audience, now=now)


def is_refused(text: str, **given: Any) -> bool:
    try:
        proof(text, **given)
    except Refused:
        return True
    return False


@pytest.mark.parametrize("made", [token, curve])
def test_a_token_of_the_site_says_who_it_is(made: Callable[[], str]) -> None:
    assert proof(made()) == Proof(
        subject="user-42",
        jti="c0ffee00c0ffee00",
        expires_at=AT + 600,
        email="jan@customer.example",
        name="Jan",
    )


def test_a_rotated_key_still_verifies_and_a_removed_one_does_not() -> None:
    old = token(header={"kid": "old"}, sign=by_secret(OTHER_SECRET))
    assert proof(old).subject == "user-42"
    left = Options(keys=OPTIONS.keys[1:])
    with pytest.raises(Refused, match="none of the account's keys"):
        identity.verified(old, left, audience="shop", now=NOW)


@pytest.mark.parametrize(
    ("claims", "header"),
    [
        ({}, {"alg": "none"}),
        ({}, {"alg": "None"}),
        ({}, {"alg": "hs256"}),
        ({}, {"alg": "HS512"}),
        ({}, {"alg": "EdDSA"}),
        ({}, {"alg": ["HS256"]}),
        ({}, {"alg": REMOVED}),
        ({}, {"kid": REMOVED}),
        ({}, {"kid": "curve"}),
        ({}, {"kid": "old"}),
        ({}, {"kid": "../new"}),
        ({}, {"kid": None}),
        ({}, {"typ": "JOSE"}),
        ({}, {"crit": ["exp"]}),
        ({}, {"b64": False}),
        ({}, {"jwk": {"kty": "oct", "k": "AAAA"}}),
        ({}, {"jku": "https://evil.example/keys"}),
        ({}, {"x5u": "https://evil.example/keys"}),
        ({"exp": REMOVED}, {}),
        ({"exp": AT}, {}),
        ({"exp": AT - 1}, {}),
        ({"exp": AT + 3_661, "iat": REMOVED}, {}),
        ({"exp": AT + 3_601}, {}),
        ({"exp": str(AT + 600)}, {}),
        ({"exp": AT + 600.5}, {}),
        ({"exp": True}, {}),
        ({"exp": 1e300}, {}),
        ({"exp": None}, {}),
        ({"iat": AT + 120}, {}),
        ({"iat": AT - 3_100}, {}),
        ({"nbf": AT + 120}, {}),
        ({"aud": "other"}, {}),
        ({"aud": "SHOP"}, {}),
        ({"aud": ""}, {}),
        ({"aud": []}, {}),
        ({"aud": ["other"]}, {}),
        ({"aud": REMOVED}, {}),
        ({"aud": {"shop": 1}}, {}),
        ({"sub": REMOVED}, {}),
        ({"sub": ""}, {}),
        ({"sub": 42}, {}),
        ({"sub": "x" * 256}, {}),
        ({"sub": "user\n42"}, {}),
        ({"jti": REMOVED}, {}),
        ({"jti": ""}, {}),
        ({"jti": "short"}, {}),
        ({"jti": "x" * 129}, {}),
        ({"name": "Jan\u2028Bcc"}, {}),
        ({"email": "jan@x\r\nBcc: a@b.example"}, {}),
        ({"email": "a@b.example,c@d.example"}, {}),
        ({"email": "jan"}, {}),
        ({"email_verified": "false"}, {}),
    ],
)
def test_what_is_not_exactly_that_is_refused(claims: dict[str, Any], header: dict[str, Any]) -> None:
    """Well signed each time: it is the content that is wrong."""
    assert is_refused(token(claims, header))


def test_an_address_that_the_site_has_not_verified_is_not_taken() -> None:
    assert proof(token({"email_verified": False})).email == ""


def test_an_audience_may_be_one_of_several() -> None:
    assert proof(token({"aud": ["other", "shop"]})).subject == "user-42"


def test_a_public_key_is_no_secret() -> None:
    """The classic: HS256 with the public key's own text as the secret."""
    assert is_refused(token(header={"kid": "curve"}, sign=by_secret(PUBLIC.decode())))


def test_a_token_ends_by_the_second() -> None:
    assert proof(token(), now=NOW + timedelta(seconds=599)).subject == "user-42"
    assert is_refused(token(), now=NOW + timedelta(seconds=600))
    assert (
        identity.is_held(AT + 600, now=NOW),
        identity.is_held(AT + 600, now=NOW + timedelta(seconds=600)),
    ) == (True, False)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "..",
        "...",
        "a.b.c",
        "a.b",
        "x" * 9_000,
        "ą.b.c",
        "\x00.\x00.\x00",
        "{}.{}.{}",
        token() + ".",
        "." + token(),
        token() + "=",
        " " + token(),
        token() + "\n",
        token().replace(".", ".."),
        token().rpartition(".")[0] + ".",
        token().rpartition(".")[0],
        token() + "A",
        token()[:-1],
        "e30.e30.e30",
        "[" * 500 + ".a.b",
    ],
)
def test_what_is_no_token_is_refused(text: str) -> None:
    assert is_refused(text)


def flipped(text: str) -> Iterator[str]:
    content = text.encode()
    for place in range(len(content)):
        for bit in range(8):
            changed = bytearray(content)
            changed[place] ^= 1 << bit
            yield changed.decode("latin-1")


@pytest.mark.slow
@pytest.mark.parametrize("made", [token, curve])
def test_no_single_flipped_bit_leaves_a_token_good(made: Callable[[], str]) -> None:
    """Every bit of every byte, also those behind the last whole byte of base64url."""
    text = made()
    accepted = [each for each in flipped(text) if not is_refused(each)]
    assert (len(accepted), len(list(flipped(text))) > 2_000) == (0, True)


@pytest.mark.parametrize(("made", "spare"), [(token, 2), (curve, 4)])
def test_a_signature_is_written_in_one_way_only(made: Callable[[], str], spare: int) -> None:
    """The last character has bits that belong to no byte: with any other value there it is another text, and refused."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    text = made()
    same = alphabet.index(text[-1]) >> spare << spare
    twins = [text[:-1] + alphabet[same + number] for number in range(1 << spare)]
    assert [is_refused(each) for each in twins] == [False, *[True] * ((1 << spare) - 1)]


@pytest.mark.slow
def test_ten_thousand_forged_tokens_are_refused() -> None:
    """Signed with other keys, by nobody, with parts of good ones exchanged, and signatures cut, lengthened and guessed."""
    chance = random.Random(20261122)
    good, other = token(), token({"jti": "another-token-1"})
    (head, body, mac), (_, other_body, other_mac) = good.split("."), other.split(".")
    accepted = 0
    for number in range(10_000):
        guess = encoded(chance.randbytes(32))
        forged = (
            f"{head}.{body}.{guess}",
            f"{head}.{other_body}.{mac}",
            f"{head}.{body}.{other_mac}",
            token({"sub": f"admin-{number}"}, sign=by_secret(guess + guess)),
            token({"sub": f"admin-{number}"}, {"alg": "none"}, lambda _: b""),
            f"{head}.{body}.{mac[: chance.randrange(len(mac))]}",
        )[number % 6]
        accepted += not is_refused(forged)
    assert accepted == 0


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ({"kid": "k", "secret": "short"}, "fewer than 32 bytes"),
        ({"kid": "k"}, "fewer than 32 bytes"),
        ({"kid": "k", "algorithm": "EdDSA", "public_key": "no pem"}, "no PEM"),
        ({"kid": "k", "algorithm": "EdDSA", "public_key": PUBLIC.decode(), "secret": SECRET}, "no secret"),
        ({"kid": "k", "secret": SECRET, "public_key": PUBLIC.decode()}, "no public_key"),
        ({"kid": "k", "algorithm": "RS256", "secret": SECRET}, "Invalid enum value"),
        ({"kid": "k k", "secret": SECRET}, "matching regex"),
    ],
)
def test_a_key_that_cannot_work_is_refused_at_the_start(key: dict[str, str], said: str) -> None:
    """And no secret is shown by that."""
    with pytest.raises(msgspec.ValidationError) as refused:
        msgspec.convert({"keys": [key]}, Options)
    assert said in str(refused.value)
    assert SECRET not in str(refused.value)


def test_keys_are_one_for_each_name_and_needed_where_identity_is() -> None:
    with pytest.raises(ValueError, match="each kid stands for one key"):
        Options(keys=(OPTIONS.keys[0], OPTIONS.keys[0]))
    with pytest.raises(ValueError, match="nobody could prove"):
        Options(required=True)


def test_no_secret_is_shown_by_what_names_a_key() -> None:
    assert SECRET not in repr(OPTIONS)
