"""From the bytes of a mail in a mailbox to the raw message that intake keeps.

Keys: account, folder, UIDVALIDITY, UID and INTERNALDATE for the place; Message-ID and content for the mail itself. The
date is in it because servers that were restored from a backup give a UID to another mail.
"""

import re
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import msgspec

from channels import contract
from channels.email import accept, identity
from channels.email.imap_answers import Described

KIND = "email.imap"
_HEADER_BYTES = 64 * 1024
_HEADER_END = re.compile(rb"\r?\n\r?\n")
# Where the last servers on the way, or the sender, say whom a mail is for. Only addresses of ours are taken from them.
_RECIPIENT_FIELD = re.compile(
    rb"^(?:delivered-to|x-original-to|envelope-to|x-envelope-to|x-delivered-to|to|cc)[ \t]*:"
    rb"([^\r\n]*(?:\r?\n[ \t][^\r\n]*)*)",
    re.IGNORECASE | re.MULTILINE,
)
_RETURN_PATH = re.compile(rb"^return-path[ \t]*:[ \t]*<?([^<>\r\n]*)>?", re.IGNORECASE | re.MULTILINE)
_FROM = re.compile(rb"^from[ \t]*:([^\r\n]*(?:\r?\n[ \t][^\r\n]*)*)", re.IGNORECASE | re.MULTILINE)
_ADDRESS = re.compile(rb"[^\s<>\"(),:;@]{1,64}@[a-z0-9.-]{1,253}", re.IGNORECASE)
_MAX_RECIPIENTS = 100


class Place(msgspec.Struct, frozen=True):
    """A folder of an account under one numbering."""

    account: str
    folder: str
    uidvalidity: int

    def key(self, mail: Described) -> str:
        return f"imap:{self.account}:{self.folder}:{self.uidvalidity}:{mail.uid}:{mail.date}"


def content_key(place: Place, mail: Described, body: bytes) -> str:
    """What the mail is known by wherever it lies; without Message-ID and Date it is its bytes and INTERNALDATE."""
    key = identity.content_key(body)
    return key or f"imap-bytes:{place.account}:{place.folder}:{sha256(body).hexdigest()}:{mail.date}"


def raw_message(
    place: Place, mail: Described, body: bytes, *, content: str, ours: frozenset[str], delimiter: str
) -> contract.RawMessage:
    """ours: addresses of the account, lower case, "@example.com" is a whole domain."""
    end = _HEADER_END.search(body, 0, _HEADER_BYTES)
    header = body[: end.start() if end else _HEADER_BYTES]
    envelope: dict[str, Any] = {"mailbox": place.folder, "uidvalidity": place.uidvalidity, "uid": mail.uid}
    if (returned := _RETURN_PATH.search(header)) is not None:
        envelope["sender"] = returned[1].decode("utf-8", "replace").strip()
    if recipients := _recipients(header, ours, delimiter):
        envelope["recipients"] = recipients
    if mail.date:
        envelope["arrived_at"] = datetime.fromtimestamp(mail.date, UTC).isoformat()
    keys = (place.key(mail), content) if place.uidvalidity else (content,)
    return contract.RawMessage(
        kind=KIND,
        account=place.account,
        lane=_lane(header, envelope),
        keys=keys,
        body=body,
        received_at=datetime.now(UTC),
        envelope=envelope,
    )


def _lane(header: bytes, envelope: dict[str, Any]) -> str:
    """Name what keeps order: who wrote, as far as the header says it before anybody has parsed it."""
    sender = envelope.get("sender")
    if sender is None and (field := _FROM.search(header)) and (found := _ADDRESS.search(field[1])):
        sender = found[0].decode("utf-8", "replace")
    peer = f"{envelope['mailbox']}:{envelope['uid']}"
    return accept.lane(header, {"sender": sender or "", "peer": peer})


def _recipients(header: bytes, ours: frozenset[str], delimiter: str) -> list[str]:
    """Give the addresses of ours that the mail was written or delivered to, with their details, each once."""
    found = (
        address[0].decode("utf-8", "replace")
        for field in _RECIPIENT_FIELD.finditer(header)
        for address in _ADDRESS.finditer(field[1])
    )
    own = dict.fromkeys(address for address in found if _is_ours(address.lower(), ours, delimiter))
    return list(own)[:_MAX_RECIPIENTS]


def _is_ours(address: str, ours: frozenset[str], delimiter: str) -> bool:
    local, _, domain = address.rpartition("@")
    plain = local.partition(delimiter)[0] if delimiter else local
    return f"{plain}@{domain}" in ours or address in ours or f"@{domain}" in ours
