"""What a turn of a chat is, read again from what was journalled: a message, or something that happened beside words. Pure."""

from collections.abc import Mapping
from typing import Any

import msgspec

from channels import language
from channels.contract import (
    Address,
    Attachment,
    ChatEvent,
    Happened,
    Identity,
    LineFile,
    Message,
    RawMessage,
    Trust,
)

MEDIUM = "chat"
PROVEN = "chat_user"  # kind of the identity that a site vouches for: "<account>:<its name for them>"
LINE = "line"
PART = "upload"

_files = tuple[LineFile, ...]


def parse(raw: RawMessage) -> Message | ChatEvent:
    """Return what a turn says. What cannot be read at all is a message without words."""
    session = str(raw.envelope.get("session") or raw.lane)
    happened = _told(raw)
    line = next((each for each in happened if each.what == LINE), None)
    if line is None and happened:
        return ChatEvent(kind=MEDIUM, session=session, customer=Identity(MEDIUM, session), happened=happened)
    return _message(raw, session, {} if line is None else line.details)


def _message(raw: RawMessage, session: str, details: Mapping[str, Any]) -> Message:
    text, name = str(details.get("text", "")), str(details.get("name", ""))
    also, is_proven = _proven(raw.account, details)
    return Message(
        kind=MEDIUM,
        from_=Address(session, name),
        text=text,
        visible_text=text,
        language=language.detect(text[: language.MAX_CHARS], language.DEFAULT) or _language(raw),
        attachments=tuple(
            Attachment(each.name, each.content_type, each.size, "", inline=False, part=f"{PART}:{number}")
            for number, each in enumerate(_files_of(details))
        ),
        headers=_headers(raw, details),
        sender=Identity(MEDIUM, session),
        also=also,
        trust=Trust(verified_sender=is_proven),
    )


def _headers(raw: RawMessage, details: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Return what rules may ask about as header.page and header.context-NAME. The page says it: it proves nothing."""
    context = details.get("context")
    told: dict[str, tuple[str, ...]] = {}
    if isinstance(context, dict):
        told = {f"context-{name}": (str(each),) for name, each in context.items()}
    page = str(raw.envelope.get("page", ""))
    return told | ({"page": (page,)} if page else {})


def _proven(account: str, details: Mapping[str, Any]) -> tuple[tuple[Identity, ...], bool]:
    """Return the further names of a visitor for whom their site vouches."""
    subject, email = str(details.get("subject", "")), str(details.get("email", ""))
    if not subject:
        return (), False
    names = [Identity(PROVEN, f"{account}:{subject}")]
    if email:
        names.append(Identity("email", email.lower()))
    return tuple(names), True


def _language(raw: RawMessage) -> str | None:
    """Return the language of the page that a line too short to tell was written on."""
    written = str(raw.envelope.get("locale", "")).replace("_", "-").partition("-")[0].lower()
    return written if written in language.DEFAULT else None


def kept_elsewhere(raw: RawMessage) -> dict[str, str]:
    """Return where the files of a line are: part of Message.attachments -> the key of its upload."""
    line = next((each for each in _told(raw) if each.what == LINE), None)
    files = () if line is None else _files_of(line.details)
    return {f"{PART}:{number}": each.reference for number, each in enumerate(files)}


def _files_of(details: Mapping[str, Any]) -> tuple[LineFile, ...]:
    try:
        return msgspec.convert(details.get("files", ()), _files)
    except msgspec.ValidationError:
        return ()


def _told(raw: RawMessage) -> tuple[Happened, ...]:
    """Return what the turn wrote down of itself."""
    try:
        return msgspec.convert(raw.envelope.get("happened", ()), tuple[Happened, ...])
    except msgspec.ValidationError:
        return ()
