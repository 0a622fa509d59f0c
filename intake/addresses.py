"""Signed references: what leaves with our mail and, coming back, says which conversation a message belongs to.

A reply address is `support+k7m4q2p-<signature>@example.com`, a Message-ID `<k7m4q2p.<outbox id>.<signature>@…>`, a
return path `support+b.<outbox id>.<signature>@…` (VERP). Signatures have 128 bits; those of replies are bound to the
ticket and to the address that the mail went to.

A notice to an agent has its own kind of both: `support+a.k7m4q2p.<moment>.<signature>@…` and
`<k7m4q2p.a<moment>.<outbox id>.<signature>@…>`. They are signed for another purpose, so that a customer's reply address is
never an agent's, and bound to the ticket, the agent and the agent's address. The moment says what the agent had seen.
"""

import re

import msgspec

from channels.contract import Address
from intake import refs
from intake.keys import Keys
from intake.model import Account

LOCAL_PART_MAX = 64  # octets, RFC 5321 §4.5.3.1.1
_ID_LIMIT = 2**63
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_REPLY = re.compile(r"([0-9a-z]{7})-([a-z0-9]{27,29})")
_RETURN = re.compile(r"b\.([0-9a-z]{1,13})\.([a-z0-9]{27,29})")
_MESSAGE_ID = re.compile(r"([0-9a-z]{7})\.([0-9a-z]{1,13})\.([a-z0-9]{27,29})@")
_AGENT_REPLY = re.compile(r"a\.([0-9a-z]{7})\.([0-9a-z]{1,9})\.([a-z0-9]{27,29})")
_AGENT_MESSAGE_ID = re.compile(r"([0-9a-z]{7})\.a([0-9a-z]{1,9})\.([0-9a-z]{1,13})\.([a-z0-9]{27,29})@")


class Reference(msgspec.Struct, frozen=True):
    """A claim that a message belongs to a ticket, not yet verified. parts: what was signed besides the address."""

    purpose: str
    ref: str
    token: str
    parts: tuple[str, ...]

    def is_bound_to(self, address: str, keys: Keys) -> bool:
        return keys.verify(self.purpose, self.token, *self.parts, address.lower())


class Notified(msgspec.Struct, frozen=True, kw_only=True):
    """A notice of ours: to whom, about which ticket, and when (microseconds UTC). agent: the rules' name."""

    ref: str
    agent: str
    to: str
    at_us: int


class AgentReference(msgspec.Struct, frozen=True, kw_only=True):
    """A claim to answer a notice, not yet verified. moment: as written, milliseconds in base 36; number: outbox id."""

    purpose: str
    ref: str
    moment: str
    token: str
    number: str = ""

    @property
    def at_us(self) -> int:
        return int(self.moment, 36) * 1_000

    def is_bound_to(self, agent: str, address: str, keys: Keys) -> bool:
        parts = (self.ref, self.moment, self.number, agent, address.lower())
        return keys.verify(self.purpose, self.token, *parts)


def agent_reply_address(
    keys: Keys, account: Account, own_address: str, notified: Notified, *, name: str
) -> Address | None:
    """Return where an agent's answer to a notice shall come to.

    None where it would be too long: the notice's Message-ID says the same in what answers it.
    """
    token = keys.sign("agent reply", *_signed_parts(notified, ""))
    detail = f"a.{notified.ref.lower()}.{_moment(notified)}.{token}"
    address = _with_detail(account, own_address, detail)
    return Address(address, name) if address is not None else None


def agent_message_id(keys: Keys, own_address: str, notified: Notified, *, outbox_id: int) -> str:
    number = base36(outbox_id)
    token = keys.sign("agent message", *_signed_parts(notified, number))
    local = f"{notified.ref.lower()}.a{_moment(notified)}.{number}.{token}"
    return f"{local}@{own_address.rpartition('@')[2]}"


def agent_reference_from_recipient(account: Account, recipient: str) -> AgentReference | None:
    found = _AGENT_REPLY.fullmatch(_detail(account, recipient))
    ref = refs.normalized(found[1]) if found else None
    if found is None or ref is None:
        return None
    return AgentReference(purpose="agent reply", ref=ref, moment=found[2], token=found[3])


def agent_reference_from_message_id(identifier: str) -> AgentReference | None:
    found = _AGENT_MESSAGE_ID.match(identifier.lower())
    ref = refs.normalized(found[1]) if found else None
    if found is None or ref is None:
        return None
    return AgentReference(purpose="agent message", ref=ref, moment=found[2], number=found[3], token=found[4])


def has_agent_reference(text: str) -> bool:
    """Whether a text shows an address or a Message-ID that only agents may know."""
    lowered = text.lower()
    return bool(_AGENT_REPLY.search(lowered) or _AGENT_MESSAGE_ID.search(lowered))


def _signed_parts(notified: Notified, number: str) -> tuple[str, ...]:
    return notified.ref, _moment(notified), number, notified.agent, notified.to.lower()


def _moment(notified: Notified) -> str:
    return base36(notified.at_us // 1_000)


def reply_address(keys: Keys, account: Account, own_address: str, *, ref: str, to: str, name: str) -> Address:
    """Return the address that an answer of `to` shall come to; without a signature where it would be too long."""
    detail = f"{ref.lower()}-{keys.sign('reply', ref, to.lower())}"
    return Address(_with_detail(account, own_address, detail) or own_address, name)


def message_id(keys: Keys, own_address: str, *, ref: str, outbox_id: int, to: str) -> str:
    number = base36(outbox_id)
    token = keys.sign("message", ref, number, to.lower())
    return f"{ref.lower()}.{number}.{token}@{own_address.rpartition('@')[2]}"


def return_path(keys: Keys, account: Account, own_address: str, outbox_id: int) -> str:
    """Return the envelope sender that tells a bounce's outbox row; "" where it would be too long."""
    number = base36(outbox_id)
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


def outbox_id_from_message_id(identifier: str) -> int | None:
    """Return the outbox row that a Message-ID of ours names, not yet verified; None = it is not made as ours are."""
    lowered = identifier.lower()
    notice, answer = _AGENT_MESSAGE_ID.match(lowered), _MESSAGE_ID.match(lowered)
    if notice is None and answer is None:
        return None
    outbox_id = int(notice[3] if notice is not None else answer[2] if answer is not None else "0", 36)
    return outbox_id if outbox_id < _ID_LIMIT else None


def own_address(account: Account, recipients: tuple[str, ...]) -> str:
    """Return the address of ours that a message was written to, without its detail; the account's main one in doubt.

    What is no mail names first what it was written to, a number that need not be among the account's.
    """
    if account.medium != "email":
        own = [each for each in recipients if each in account.addresses]
        numbers = [each for each in recipients[:1] if each.removeprefix("+").isdecimal()]
        return next(iter((*own, *numbers, *account.addresses)), "")
    for recipient in recipients:
        local, _, domain = recipient.lower().rpartition("@")
        plain = f"{divided(account, local)[0]}@{domain}"
        if plain in account.addresses or f"@{domain}" in account.addresses:
            return plain
    return next((address for address in account.addresses if not address.startswith("@")), "")


def divided(account: Account, local: str) -> tuple[str, str]:
    """Return mailbox and detail of a local part (RFC 5233); without a delimiter all of it is the mailbox."""
    if not account.delimiter:
        return local, ""
    mailbox, _, detail = local.partition(account.delimiter)
    return mailbox, detail


def _detail(account: Account, recipient: str) -> str:
    return divided(account, recipient.lower().rpartition("@")[0])[1]


def _with_detail(account: Account, own_address: str, detail: str) -> str | None:
    if not account.delimiter:
        return None
    local, _, domain = own_address.rpartition("@")
    local = f"{local}{account.delimiter}{detail}"
    return f"{local}@{domain}" if len(local.encode()) <= LOCAL_PART_MAX else None


def base36(number: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return digits or "0"
