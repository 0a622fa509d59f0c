"""From what a feed gives to what a page is sent."""

from datetime import UTC, datetime

import msgspec

from channels.contract import Fed, Opened, Passing, View
from channels.webchat import protocol, quick_replies
from channels.webchat.settings import Options
from channels.webchat.state import State


def instant(at: datetime) -> str:
    """Return an instant as the protocol has it: RFC 3339, UTC, milliseconds."""
    # Not strftime, which asks the system each time whether the machine's zone has changed.
    return f"{at.astimezone(UTC).isoformat(timespec='milliseconds')[:23]}Z"


def status(view: View) -> protocol.Status:
    """Return whether somebody is there, as a page is told."""
    found = view.availability
    return protocol.Status(
        at=instant(view.at),
        is_open=found.state != "later",
        is_live=found.state == "now",
        next_open=None if found.opens_at is None else instant(found.opens_at),
        answered_by=None if found.answered_by is None else instant(found.answered_by),
        wait_s=found.wait_s,
        incident=view.incident,
    )


def is_alike(one: protocol.Status, other: protocol.Status) -> bool:
    """Whether two say the same, whenever they were said."""
    return msgspec.structs.replace(one, at=other.at) == other


def status_changed(now: protocol.Status) -> protocol.StatusChanged:
    return protocol.StatusChanged(**msgspec.structs.asdict(now))


def welcome(opened: Opened, known: State, shown: protocol.Status, *, is_identified: bool) -> protocol.Welcome:
    """Return the first thing that a page hears."""
    return protocol.Welcome(
        seq=opened.last_seq,
        at=shown.at,
        status=shown,
        consent=known.consent,
        has_contact=known.has_contact,
        is_identified=is_identified,
        is_ended=opened.last_code in protocol.ENDINGS,
        read=opened.seen_seq,
    )


def said(fed: Fed, options: Options, locale: str) -> list[protocol.Daemon]:
    """Return what a line is to a page: the line, and that the chat is over when it says so."""
    line, text = fed.line, fed.line.text
    replies: tuple[str, ...] = ()
    if line.author != "customer":
        text, named = quick_replies.parted(line.text, options.quick_replies)
        replies = quick_replies.choices(options.quick_replies, named, locale)
    shown = protocol.Said(
        seq=fed.seq,
        at=instant(fed.at),
        author=line.author,
        name=line.name,
        text=text,
        files=tuple(
            protocol.LineFile(number, each.name, each.content_type, each.size)
            for number, each in enumerate(line.files)
        ),
        id=line.id,
        code=line.code,
        replies=replies,
    )
    reason = protocol.ENDINGS.get(line.code)
    return [shown] if reason is None else [shown, protocol.Ended(fed.seq, reason)]


def passing(thing: Passing) -> list[protocol.Daemon]:
    """Return what passes as a page is told; [] = it is not for pages."""
    if thing.what == "typing":
        return [protocol.AgentTypes(str(thing.details.get("name", "")))]
    if thing.what == "seen":
        return [protocol.AgentRead(int(thing.details.get("seq", 0)))]
    return []
