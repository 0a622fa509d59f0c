"""Who a visitor is, by a signed token of the site that the chat is on: a JWT (RFC 7519) in compact form (RFC 7515 §7.1).

The site's server signs it for a visitor who is signed in there; the page hands it over (`identify`). Header: `alg` HS256 or
EdDSA (RFC 8037, Ed25519), `kid` the name of one of the account's keys, which alone says the algorithm. Claims: `sub` who it
is at the site, `aud` the account's name, `exp` within an hour, `jti` a name that is used once; and as the site likes `iat`,
`nbf`, `email` (proven unless `email_verified` is false) and `name`.

Refused is whatever is not exactly that: another algorithm, `none` among them, a key that is unknown or for something else, a
header that asks for more than we do (`crit`, `b64`), a time that is past, far ahead or no whole number, another audience, and
base64url that is not written the one way there is: without that a flipped bit behind the last whole byte would still verify.
That a `jti` is used once is the journal's to say: it is the key of the turn that takes the proof in.
"""

import base64
import re
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

TOKEN_MAX = 8_192
LIVES_S = 3_600
SKEW_S = 60  # how far the site's clock may be ahead of ours
SECRET_MIN = 32  # bytes: as long as the hash is (RFC 7518 §3.2)

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_SEGMENT = re.compile(r"[A-Za-z0-9_-]+")
# Of the last character the bits that belong to no byte have to be 0 (RFC 4648 §3.5). By the segment's length modulo 4.
_SPARE_BITS = {0: 0, 2: 4, 3: 2}
_ADDRESS = re.compile(r"[^@\s\x00-\x1f\x7f-\x9f<>\"(),:;\\]{1,64}@[A-Za-z0-9.-]{1,253}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")

Name = Annotated[str, Meta(pattern=r"^[A-Za-z0-9._-]{1,64}$")]


class Key(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A key that the site signs with. kid: its name in the tokens. secret: of HS256, SECRET_MIN bytes at least.

    public_key: of EdDSA, as PEM ("-----BEGIN PUBLIC KEY----- …"). An old one stays for as long as its tokens live.
    """

    kid: Name
    algorithm: Literal["HS256", "EdDSA"] = "HS256"
    secret: str = ""
    public_key: str = ""

    def __post_init__(self) -> None:
        wrong = _wrong_key(self)
        if wrong:
            raise ValueError(f"identity key '{self.kid}': {wrong}")

    def __repr__(self) -> str:
        return f"Key(kid={self.kid!r}, algorithm={self.algorithm!r})"


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """identity of a chat account. required: only who is proven may write, and read, and send files."""

    keys: tuple[Key, ...] = ()
    required: bool = False

    def __post_init__(self) -> None:
        names = [each.kid for each in self.keys]
        if len(set(names)) < len(names):
            raise ValueError("identity.keys: each kid stands for one key")
        if self.required and not self.keys:
            raise ValueError("identity.required needs identity.keys: nobody could prove who they are")


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """Who it is. subject: the site's name for them; email: proven, lower case in the domain, "" = none.

    jti: the token's name; expires_at: Unix seconds; until then the proof holds, and what needs one needs a new one then.
    """

    subject: str
    jti: str
    expires_at: int
    email: str = ""
    name: str = ""


class Refused(Exception):
    """The token proves nothing. reason: for the log, one clause without anything of the token."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class _Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    alg: str
    kid: str
    typ: str = "JWT"


class _Claims(msgspec.Struct, frozen=True):
    sub: Annotated[str, Meta(min_length=1, max_length=255)]
    aud: str | tuple[str, ...]
    exp: int
    jti: Annotated[str, Meta(min_length=8, max_length=128)]
    iat: int | None = None
    nbf: int | None = None
    email: Annotated[str, Meta(max_length=254)] = ""
    email_verified: bool = True
    name: Annotated[str, Meta(max_length=100)] = ""


_decode_header = msgspec.json.Decoder(_Header).decode
_decode_claims = msgspec.json.Decoder(_Claims).decode


def verified(token: str, options: Options, *, audience: str, now: datetime) -> Proof:
    """Return who a token says it is. audience: the account's name. Pure. Raises: Refused."""
    header, claims_bytes = _opened(token)
    key = next((each for each in options.keys if each.kid == header.kid), None)
    if key is None:
        raise Refused("its kid is none of the account's keys")
    if header.alg != key.algorithm:
        raise Refused(f"its algorithm is not that of the key '{key.kid}'")
    if header.typ.upper() != "JWT":
        raise Refused("its typ is not JWT")
    if not _is_signed(token, key):
        raise Refused(f"it is not signed with the key '{key.kid}'")
    claims = _read(_decode_claims, claims_bytes, "claims")
    _check_times(claims, now)
    if audience not in ((claims.aud,) if isinstance(claims.aud, str) else claims.aud):
        raise Refused("its audience is not this account")
    return _proof(claims)


def jti_of(token: str) -> str:
    """Return the name that a token gives itself, nothing of it believed; "" = it has none. What is journalled counts once."""
    try:
        claims = _read(_decode_claims, _opened(token)[1], "claims")
    except Refused:
        return ""
    return str(claims.jti)


def is_held(expires_at: int, *, now: datetime) -> bool:
    """Whether a proof that ends then still counts."""
    return now.timestamp() < expires_at


def _opened(token: str) -> tuple[_Header, bytes]:
    """Return the header and the bytes of the claims, nothing of them believed."""
    if len(token) > TOKEN_MAX:
        raise Refused("it is too long")
    segments = token.split(".")
    if len(segments) != 3 or not all(map(_is_canonical, segments)):
        raise Refused("it is not three parts of base64url")
    return _read(_decode_header, _bytes_of(segments[0]), "header"), _bytes_of(segments[1])


def _is_canonical(segment: str) -> bool:
    spare = _SPARE_BITS.get(len(segment) % 4)
    if spare is None or not _SEGMENT.fullmatch(segment):
        return False
    return _ALPHABET.index(segment[-1]) % (1 << spare) == 0


def _bytes_of(segment: str) -> bytes:
    return base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))


def _read(decode: Any, content: bytes, what: str) -> Any:
    try:
        return decode(content)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise Refused(f"its {what} cannot be read, or something is missing there") from None


def _is_signed(token: str, key: Key) -> bool:
    import jwt

    try:
        jwt.PyJWS().decode(token, _material(key), algorithms=[key.algorithm])
    except jwt.InvalidTokenError:
        return False
    return True


def _check_times(claims: _Claims, now: datetime) -> None:
    at = now.timestamp()
    if claims.exp <= at:
        raise Refused("it has ended")
    if claims.exp > at + LIVES_S + SKEW_S:
        raise Refused("it lives for longer than an hour")
    if claims.iat is not None and not claims.exp - LIVES_S <= claims.iat <= at + SKEW_S:
        raise Refused("it was issued in the future, or for longer than an hour")
    if claims.nbf is not None and claims.nbf > at + SKEW_S:
        raise Refused("it does not count yet")


def _proof(claims: _Claims) -> Proof:
    if _CONTROL.search(claims.sub + claims.jti + claims.name):
        raise Refused("its sub, jti or name has control characters")
    email = claims.email if claims.email_verified else ""
    if email and not _ADDRESS.fullmatch(email):
        raise Refused("its email is no address")
    local, at, domain = email.rpartition("@")
    return Proof(
        subject=claims.sub,
        jti=claims.jti,
        expires_at=claims.exp,
        email=f"{local}{at}{domain.lower()}",
        name=claims.name.strip(),
    )


def _material(key: Key) -> Any:
    if key.algorithm == "HS256":
        return key.secret.encode()
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    return load_pem_public_key(key.public_key.encode())


def _wrong_key(key: Key) -> str:
    """Say what is wrong with a key, without showing any of it; "" = nothing."""
    if key.algorithm == "HS256":
        if len(key.secret.encode()) < SECRET_MIN:
            return f"its secret has fewer than {SECRET_MIN} bytes: openssl rand -hex 32"
        return "HS256 has a secret and no public_key" if key.public_key else ""
    return "EdDSA has a public_key and no secret" if key.secret else _wrong_public_key(key)


def _wrong_public_key(key: Key) -> str:
    try:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    except ImportError:
        return "EdDSA needs the extra: pip install 'intaked[push]'"
    try:
        found = _material(key)
    except ValueError:
        return "its public_key is no PEM of a public key"
    return "" if isinstance(found, Ed25519PublicKey) else "its public_key is not one of Ed25519"
