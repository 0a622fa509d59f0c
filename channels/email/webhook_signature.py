"""Signs and checks mails that are posted: HMAC-SHA256 (RFC 2104) over time, envelope and body, under a shared secret.

    Intake-Signature: t=1763719200,v1=5257a869…      Unix seconds; hex; up to 8 v1, so that secrets can be changed
    Intake-Sender: ann@example.net                   optional; the envelope's sender, <> for a bounce
    Intake-Recipients: support@example.com           optional; the envelope's recipients, with commas between them

What is signed: the digits of t, a line feed, Intake-Sender, a line feed, Intake-Recipients, a line feed, the body; a
header that is not sent is empty. Header values hold no line feed, so no two requests sign the same bytes.
"""

import hmac
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

HEADER = "Intake-Signature"
SENDER = "Intake-Sender"
RECIPIENTS = "Intake-Recipients"
_SIGNATURE = re.compile(r"t=([0-9]{1,12})((?:,v1=[0-9a-f]{64}){1,8})", re.ASCII)


class Signature(NamedTuple):
    """A well-formed signature, not yet checked. at: the digits as sent; macs: lower-case hex."""

    at: str
    macs: tuple[str, ...]

    def is_timely(self, now: float, *, tolerance_s: float) -> bool:
        return abs(now - int(self.at)) <= tolerance_s


def read(header: str) -> Signature | None:
    """Read the header's value; None when it is not one."""
    found = _SIGNATURE.fullmatch(header)
    if found is None:
        return None
    return Signature(found[1], tuple(mac.removeprefix("v1=") for mac in found[2][1:].split(",")))


def sign(
    body: bytes, secrets: Sequence[str], *, at: int, sender: str = "", recipients: str = ""
) -> dict[str, str]:
    """Make the headers of a request, one v1 for each secret."""
    content = _content(str(at), sender, recipients)
    macs = ",".join(f"v1={_mac(secret, content, body).hex()}" for secret in secrets)
    headers = {HEADER: f"t={at},{macs}", SENDER: sender, RECIPIENTS: recipients}
    return {name: value for name, value in headers.items() if value}


def is_valid(
    signature: Signature, body: bytes, headers: Mapping[str, str], *, secrets: Iterable[str]
) -> bool:
    """Tell whether one of the macs is that of one of the secrets; every pair is compared, in constant time."""
    content = _content(signature.at, headers.get(SENDER, ""), headers.get(RECIPIENTS, ""))
    given = [bytes.fromhex(mac) for mac in signature.macs]
    is_one = False
    for secret in secrets:
        expected = _mac(secret, content, body)
        for mac in given:
            is_one |= hmac.compare_digest(expected, mac)
    return is_one


def _content(at: str, sender: str, recipients: str) -> bytes:
    return f"{at}\n{sender}\n{recipients}\n".encode("utf-8", "surrogateescape")


def _mac(secret: str, content: bytes, body: bytes) -> bytes:
    made = hmac.new(secret.encode(), content, "sha256")
    made.update(body)
    return made.digest()
