"""How a source signs what it posts: HMAC-SHA256 (RFC 2104) over the body and, in all schemes but one, the time.

    intake    Intake-Signature: t=1763719200,v1=<hex>                over the digits of t, three line feeds, the body
    standard  webhook-id, webhook-timestamp, webhook-signature: v1,<base64>   over id "." time "." body (Standard Webhooks 1.0.0)
    stripe    Stripe-Signature: t=…,v1=<hex>                         over time "." body (docs.stripe.com/webhooks)
    slack     X-Slack-Request-Timestamp, X-Slack-Signature: v0=<hex>  over "v0:" time ":" body (docs.slack.dev)
    github    X-Hub-Signature-256: sha256=<hex>                      over the body: it says no time (docs.github.com/webhooks)

Vendors' pages checked 2026-11. `intake` is what channels.email.webhook_signature makes of a mail without an envelope.
"""

import base64
import binascii
import hmac
import re
from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

Scheme = Literal["intake", "standard", "stripe", "slack", "github"]
MAX_HEADER_CHARS = 2_000
MAX_MACS = 8

_T_AND_V1 = re.compile(r"t=([0-9]{1,12})((?:,v[01]=[0-9a-f]{64}){1,8})", re.ASCII)
_HEX = re.compile(r"[0-9a-f]{64}", re.ASCII)
_SECONDS = re.compile(r"[0-9]{1,12}", re.ASCII)
_PREFIXES = {"slack": "v0=", "github": "sha256="}
_HEADERS: dict[str, tuple[str, ...]] = {
    "intake": ("Intake-Signature",),
    "standard": ("webhook-signature", "webhook-timestamp", "webhook-id"),
    "stripe": ("Stripe-Signature",),
    "slack": ("X-Slack-Signature", "X-Slack-Request-Timestamp"),
    "github": ("X-Hub-Signature-256",),
}


class Signature(msgspec.Struct, frozen=True):
    """A well-formed signature, not yet checked. at: the digits as sent, "" = it says no time; id: "" = it names none."""

    scheme: Scheme
    macs: tuple[bytes, ...]
    at: str = ""
    id: str = ""

    def is_timely(self, now: float, *, tolerance_s: float) -> bool:
        return not self.at or abs(now - int(self.at)) <= tolerance_s


def header_names(scheme: Scheme) -> tuple[str, ...]:
    """Return the headers of a scheme; each may be there once."""
    return _HEADERS[scheme]


def read(scheme: Scheme, headers: Mapping[str, str]) -> Signature | None:
    """Read a signature; None = there is none that can be one. headers: those of header_names, by these names."""
    names = _HEADERS[scheme]
    values = [headers.get(name, "") for name in names]
    if any(len(value) > MAX_HEADER_CHARS or not value.isascii() for value in values):
        return None
    if scheme in ("intake", "stripe"):
        return _with_time_inside(scheme, values[0])
    if scheme == "standard":
        return _standard(*values)
    at = values[1] if scheme == "slack" else ""
    written = values[0].removeprefix(_PREFIXES[scheme])
    is_whole = (
        values[0] != written and _HEX.fullmatch(written) and (scheme == "github" or _SECONDS.fullmatch(at))
    )
    return Signature(scheme, (bytes.fromhex(written),), at) if is_whole else None


def is_valid(signature: Signature, body: bytes, *, secrets: Iterable[str]) -> bool:
    """Tell whether one of the macs is that of one of the secrets; every pair is compared, in constant time."""
    before = _before(signature)
    is_one = False
    for secret in secrets:
        made = hmac.new(_key(signature.scheme, secret), before, "sha256")
        made.update(body)
        expected = made.digest()
        for mac in signature.macs:
            is_one |= hmac.compare_digest(expected, mac)
    return is_one


def sign(scheme: Scheme, body: bytes, secret: str, *, at: int, id: str = "") -> dict[str, str]:  # noqa: A002 - as the header calls it
    """Make the headers of a request: what a source does, for tests and for sources of one's own."""
    blank = Signature(scheme, (), str(at), id)
    made = hmac.new(_key(scheme, secret), _before(blank) + body, "sha256").digest()
    match scheme:
        case "intake" | "stripe":
            values = [f"t={at},v1={made.hex()}"]
        case "standard":
            values = [f"v1,{base64.b64encode(made).decode()}", str(at), id]
        case _:
            values = [f"{_PREFIXES[scheme]}{made.hex()}", str(at)]
    return dict(zip(_HEADERS[scheme], values, strict=False))


def _with_time_inside(scheme: Scheme, header: str) -> Signature | None:
    found = _T_AND_V1.fullmatch(header)
    if found is None:
        return None
    # Stripe's v0 is of its test mode, and is no proof.
    macs = [each[3:] for each in found[2][1:].split(",") if each.startswith("v1=")]
    return Signature(scheme, tuple(map(bytes.fromhex, macs)), found[1])


def _standard(written: str, at: str, identifier: str) -> Signature | None:
    if not _SECONDS.fullmatch(at) or not identifier or not identifier.isprintable():
        return None
    macs = []
    for each in written.split(" ")[:MAX_MACS]:
        version, _, encoded = each.partition(",")
        try:
            mac = base64.b64decode(encoded, validate=True)
        except binascii.Error:
            return None
        if version == "v1":
            macs.append(mac)
    return Signature("standard", tuple(macs), at, identifier)


def _before(signature: Signature) -> bytes:
    """Return what is signed before the body."""
    forms = {
        "intake": f"{signature.at}\n\n\n",
        "standard": f"{signature.id}.{signature.at}.",
        "stripe": f"{signature.at}.",
        "slack": f"v0:{signature.at}:",
        "github": "",
    }
    return forms[signature.scheme].encode()


def _key(scheme: Scheme, secret: str) -> bytes:
    """Return the key that a secret stands for; Standard Webhooks writes it in base64 behind whsec_."""
    if scheme == "standard" and secret.startswith("whsec_"):
        return base64.b64decode(secret.removeprefix("whsec_"))
    return secret.encode()
