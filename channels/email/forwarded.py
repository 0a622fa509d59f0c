"""Finds whom a forwarded mail is from: the one who asks, where an agent or a shop has only passed the mail on.

Three forms: header fields written into the text (Gmail, Outlook, Thunderbird, Apple Mail, phones), an attribution above it
(Yandex), a whole mail attached (message/rfc822). What they say was typed or copied by the forwarder: it is offered, never trusted.
"""

import re
from collections.abc import Sequence

from channels.contract import Address, Forwarded
from channels.email import addresses, header_blocks, headers, mail_words
from channels.email.structure import Part

MAX_SEARCHED_LINES = 16
MAX_SUBJECT_CHARS = 998
MAX_SENT_CHARS = 120

_AUTHOR = re.compile(
    r"^(?P<name>[^<\[(]{0,200}?)(?:[<\[(]\s*)?(?:mailto:\s*)?(?P<address>[^\s<>@\[\]():;,\"']{1,64}@[^\s<>@\[\]():;,\"']{1,190})"
)
_EDGES = " \t\xa0>*_\"'“”«»,"


def is_announced(subject: str, text: str) -> bool:
    """Whether the subject begins as forwarded mails' do and not as answers' do.

    "VS:" forwards in Danish and Norwegian and answers in Finnish; there the header fields in the text tell.
    """
    if ":" not in subject and "：" not in subject:  # without a colon there is no prefix
        return False
    if not mail_words.FORWARD_PREFIX.match(subject) or mail_words.REPLY_PREFIX.match(subject):
        return False
    return subject.lstrip()[:2].lower() != "vs" or "ähettäjä:" not in text


def in_text(visible: str, begin: int) -> Forwarded | None:
    """What the text says of the mail that begins in its line `begin`; None when it names no author."""
    lines = visible.split("\n")[begin : begin + MAX_SEARCHED_LINES]
    keys = [line.strip(_EDGES) for line in lines]
    for number, key in enumerate(keys):
        if not key:
            continue
        fields = header_blocks.fields_of(keys, number)
        if len(fields) >= 2 and fields[0].number == number and (found := _from_fields(fields)):
            return found
        if (header_blocks.has_date(key) or header_blocks.has_time(key)) and (found := _from_attribution(key)):
            return found
    return None


def _from_fields(fields: Sequence[header_blocks.Field]) -> Forwarded | None:
    """By the names of the fields; where those are unknown the author is the first with an address."""
    values = {field.kind: field.value for field in reversed(fields) if field.kind}
    by_place = next((field.value for field in fields if "@" in field.value), "")
    author = _author(values.get("from", by_place))
    if author is None:
        return None
    others = [field.value for field in fields if "@" not in field.value]
    sent = values.get("sent") or next(filter(header_blocks.has_time, others), "")
    subject = values.get("subject")
    if subject is None:
        subject = next((value for value in reversed(others) if value and value != sent), "")
    return Forwarded(
        from_=author,
        subject=subject.strip(_EDGES)[:MAX_SUBJECT_CHARS],
        sent=sent.strip(_EDGES)[:MAX_SENT_CHARS],
    )


def _from_attribution(key: str) -> Forwarded | None:
    """A line such as `02.11.2026, 10:00, "Anna" <anna@example.com>:`."""
    found = header_blocks.ADDRESS.search(key)
    if found is None:
        return None
    before = key[: found.start()].rstrip(" <([")
    name = before.rpartition(",")[2].strip(_EDGES)
    has_digits = any(character.isdigit() for character in name)
    return Forwarded(from_=Address(addresses.normalised(found[0]), "" if has_digits else name))


def _author(value: str) -> Address | None:
    found = _AUTHOR.match(value.strip(_EDGES))
    if found is None:
        return None
    address = addresses.normalised(found["address"])
    if not addresses.is_plausible(address):
        return None
    name = found["name"].strip(_EDGES)
    return Address(address, "" if name.lower() == address.lower() else name)


def attached(root: Part) -> Part | None:
    """The one mail that is attached; None when there is none or several, or the mail is a report about it."""
    if root.content_type == "multipart/report" or root.is_message():
        return None
    found = [leaf for leaf in root.leaves() if leaf.is_message()]
    return found[0] if len(found) == 1 else None


def from_attached(part: Part) -> Forwarded | None:
    """What the header of an attached mail says."""
    fields = headers.scan(part.content)
    author = addresses.parse(fields.structured("from"))
    if not author or not addresses.is_plausible(author[0].address):
        return None
    return Forwarded(
        from_=author[0],
        subject=fields.text("subject")[:MAX_SUBJECT_CHARS],
        sent=fields.first("date").strip()[:MAX_SENT_CHARS],
    )
