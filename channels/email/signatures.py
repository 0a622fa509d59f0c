"""Checks one signature over header fields (DKIM, RFC 6376; RFC 8301, RFC 8463; the same for ARC, RFC 8617).

Every step is linear in the mail's size: a signature names what it covers, and whoever forges one may name anything.
"""

import base64
import binascii
import re
import time
from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256

import msgspec

from channels.email import arc, domains
from channels.email.resolver import Resolver
from channels.email.signed_mail import Field, Mail

RSA_BITS_MIN = 1_024  # RFC 8301 §3.2
RSA_BITS_MAX = 8_192
ALLOWED_SKEW_S = 3_600
SIGNED_FIELDS_MAX = 200

_SPACES = re.compile(rb"[ \t]+")
_FOLD = re.compile(rb"\r\n(?=[ \t])")
_SIGNATURE = re.compile(rb"(;[ \t\r\n]*b[ \t\r\n]*=|^[ \t\r\n]*b[ \t\r\n]*=)[^;]*")
_BASE64 = re.compile(r"[A-Za-z0-9+/=]+\Z")


class Failed(Exception):
    """A signature does not hold. result: "fail", "permerror", "policy" or "neutral" (RFC 8601 §2.7.1)."""

    def __init__(self, reason: str, result: str = "fail") -> None:
        super().__init__(reason)
        self.result = result


class Signature(msgspec.Struct, frozen=True):
    """The tags of a signature that every kind of it has."""

    domain: str
    selector: str
    algorithm: str
    signature: bytes


def parse(tags: dict[str, str]) -> Signature:
    """Take the tags that a key and a signature need. Raises: Failed."""
    missing = {"a", "b", "d", "s"} - tags.keys()
    if missing:
        raise Failed(f"no tag {min(missing)}", "permerror")
    domain, selector = domains.normalised(tags["d"]), domains.normalised(tags["s"])
    if not domain or not selector or "." not in domain:
        raise Failed("d= or s= is no name", "permerror")
    if tags["a"] not in ("rsa-sha256", "ed25519-sha256"):
        raise Failed("an algorithm that is not safe any more, or unknown", "permerror")
    return Signature(domain, selector, tags["a"], decoded(tags["b"]))


def check_times(tags: dict[str, str]) -> None:
    """Raises: Failed when it was made in the future or is over."""
    now = time.time()
    made_at, ends_at = _time(tags, "t"), _time(tags, "x")
    if made_at is not None and made_at > now + ALLOWED_SKEW_S:
        raise Failed("it was made in the future")
    if ends_at is not None and ends_at < now:
        raise Failed("it is over")


def _time(tags: dict[str, str], name: str) -> int | None:
    text = tags.get(name)
    if text is not None and (not text.isdecimal() or len(text) > 12):
        raise Failed(f"{name}= is no time", "permerror")
    return None if text is None else int(text)


def verify(signature: Signature, signed: bytes, resolver: Resolver, *, identity: str = "") -> None:
    """Check the signature over the hashed text. identity: the i= of a DKIM signature.

    Raises: Failed; NoAnswer when the key could not be looked up.
    """
    kind, _, _ = signature.algorithm.partition("-")
    tags = _key_record(signature, resolver)
    if tags.get("k", "rsa") != kind:
        raise Failed("the key is of another kind", "permerror")
    if "h" in tags and "sha256" not in tags["h"].split(":"):
        raise Failed("the key is for other hashes", "permerror")
    if not {"*", "email"} & set(tags.get("s", "*").split(":")):
        raise Failed("the key is not for mail", "permerror")
    if "s" in tags.get("t", "").split(":") and identity and domains.of_address(identity) != signature.domain:
        raise Failed("the key is for its own domain only", "permerror")
    if not tags.get("p"):
        raise Failed("the key was withdrawn")
    verify_with = _verify_rsa if kind == "rsa" else _verify_ed25519
    verify_with(decoded(tags["p"]), signature.signature, signed)


def _key_record(signature: Signature, resolver: Resolver) -> dict[str, str]:
    found = resolver.txt(f"{signature.selector}._domainkey.{signature.domain}")
    if not found:
        raise Failed("there is no key", "permerror")
    if len(found) > 1:
        raise Failed("there are several keys", "permerror")
    tags = arc.tags(found[0].decode("utf-8", "replace"))
    if not tags or tags.get("v", "DKIM1") != "DKIM1":
        raise Failed("the key is no key", "permerror")
    return tags


def _verify_rsa(key: bytes, signature: bytes, signed: bytes) -> None:
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import padding, rsa

    try:
        public = serialization.load_der_public_key(key)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise Failed("the key cannot be read", "permerror") from error
    if not isinstance(public, rsa.RSAPublicKey) or not RSA_BITS_MIN <= public.key_size <= RSA_BITS_MAX:
        raise Failed("the key is too short", "permerror")
    try:
        public.verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature as error:
        raise Failed("the signature does not fit") from error


def _verify_ed25519(key: bytes, signature: bytes, signed: bytes) -> None:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        # RFC 8463 §3: what is signed is the hash.
        Ed25519PublicKey.from_public_bytes(key).verify(signature, sha256(signed).digest())
    except ValueError as error:
        raise Failed("the key cannot be read", "permerror") from error
    except InvalidSignature as error:
        raise Failed("the signature does not fit") from error


def signed_text(
    mail: Mail, names: Sequence[str], own: Field, *, is_relaxed: bool, chosen: Iterable[Field] | None = None
) -> bytes:
    """Return what is signed: the named fields from the bottom up, then the signature's own with an empty b=.

    chosen: exactly these fields instead (an ARC seal's). Raises: Failed.
    """
    if len(names) > SIGNED_FIELDS_MAX:
        raise Failed("too many fields are signed", "permerror")
    canonical: Callable[[Field], bytes] = relaxed_field if is_relaxed else _simple_field
    fields = _named(mail, names) if chosen is None else chosen
    text = [canonical(each) for each in fields]
    name, value = own
    emptied = _SIGNATURE.sub(rb"\1", value, count=1)
    text.append(canonical((name, emptied)).removesuffix(b"\r\n"))
    return b"".join(text)


def _named(mail: Mail, names: Sequence[str]) -> Iterable[Field]:
    by_name: dict[bytes, list[Field]] = {}
    for each in mail.fields:
        by_name.setdefault(each[0].strip().lower(), []).append(each)
    for name in names:
        left = by_name.get(name.lower().encode("ascii", "replace"))
        if left:
            yield left.pop()


def relaxed_field(field: Field) -> bytes:
    """Write a field as RFC 6376 §3.4.2 has it."""
    name, value = field
    unfolded = _SPACES.sub(b" ", _FOLD.sub(b"", value)).strip(b" \t\r\n")
    return name.strip().lower() + b":" + unfolded + b"\r\n"


def _simple_field(field: Field) -> bytes:
    return field[0] + b":" + field[1] + b"\r\n"


def decoded(text: str) -> bytes:
    """Raises: Failed when it is no base64."""
    if not _BASE64.match(text):
        raise Failed("no base64", "permerror")
    try:
        return base64.b64decode(text)
    except binascii.Error as error:
        raise Failed("no base64", "permerror") from error
