"""Signed references: what leaves with our mail and, coming back, says which conversation a message belongs to.

A reply address is `support+k7m4q2p-<signature>@example.com`, a Message-ID `<k7m4q2p.<outbox id>.<signature>@…>`, a
return path `support+b.<outbox id>.<signature>@…` (VERP). Signatures have 128 bits; those of replies are bound to the
ticket and to the address that the mail went to.
"""

import re

import msgspec

from channels.contract import Address
from intake import refs
from intake.keys import Keys
from intake.model import Account

LOCAL_PART_MAX = 64  # octets, RFC 5321 §4.5.3.1.1
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_REPLY = re.compile(r"([0-9a-z]{7})-([a-z0-9]{27,29})")
_RETURN = re.compile(r"b\.([0-9a-z]{1,13})\.([a-z0-9]{27,29})")
_MESSAGE_ID = re.compile(r"([0-9a-z]{7})\.([0-9a-z]{1,13})\.([a-z0-9]{27,29})@")


class Reference(msgspec.Struct, frozen=True):
    """A claim that a message belongs to a ticket, not yet verified. parts: what was signed besides the address."""

    purpose: str
    ref: str
    token: str
    parts: tuple[str, ...]

    def is_bound_to(self, address: str, keys: Keys) -> bool:
        return keys.verify(self.purpose, self.token, *self.parts, address.lower())


def reply_address(keys: Keys, account: Account, own_address: str, *, ref: str, to: str, name: str) -> Address:
    """Return the address that an answer of `to` shall come to; without a signature where it would be too long."""
    detail = f"{ref.lower()}-{keys.sign('reply', ref, to.lower())}"
    return Address(_with_detail(account, own_address, detail) or own_address, name)


def message_id(keys: Keys, own_address: str, *, ref: str, outbox_id: int, to: str) -> str:
    number = _base36(outbox_id)
    token = keys.sign("message", ref, number, to.lower())
    return f"{ref.lower()}.{number}.{token}@{own_address.rpartition('@')[2]}"


def return_path(keys: Keys, account: Account, own_address: str, outbox_id: int) -> str:
    """Return the envelope sender that tells a bounce's outbox row; "" where it would be too long."""
    number = _base36(outbox_id)
    return _with_detail(account, own_address, f"b.{number}.{keys.sign('bounce', number)}") or ""


def bounced_outbox_id(keys: Keys, account: Account, recipient: str) -> int | None:
    """Return the outbox row that a bounce to this recipient is about; None when it is not signed by us."""
    found = _RETURN.fullmatch(_detail(account, recipient))
    if found is None or not keys.verify("bounce", found[2], found[1]):
        return None
    return int(found[1], 36)


def reference_from_recipient(account: Account, recipient: str) -> Reference | None:
    found = _REPLY.fullmatch(_detail(account, recipient))
    ref = refs.normalized(found[1]) if found else None
    return Reference("reply", ref, found[2], (ref,)) if found and ref else None


def reference_from_message_id(identifier: str) -> Reference | None:
    found = _MESSAGE_ID.match(identifier.lower())
    ref = refs.normalized(found[1]) if found else None
    return Reference("message", ref, found[3], (ref, found[2])) if found and ref else None


def own_address(account: Account, recipients: tuple[str, ...]) -> str:
    """Return the address of ours that a message was written to, without its detail; the account's main one in doubt."""
    for recipient in recipients:
        local, _, domain = recipient.lower().rpartition("@")
        plain = f"{local.partition(account.delimiter)[0]}@{domain}"
        if plain in account.addresses or f"@{domain}" in account.addresses:
            return plain
    return next((address for address in account.addresses if not address.startswith("@")), "")


def _detail(account: Account, recipient: str) -> str:
    return recipient.lower().rpartition("@")[0].partition(account.delimiter)[2]


def _with_detail(account: Account, own_address: str, detail: str) -> str | None:
    local, _, domain = own_address.rpartition("@")
    local = f"{local}{account.delimiter}{detail}"
    return f"{local}@{domain}" if len(local.encode()) <= LOCAL_PART_MAX else None


def _base36(number: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return digits or "0"
