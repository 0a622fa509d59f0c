"""The options of a chat account, and what of them a page is told."""

import re
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from channels.webchat import agreement, protocol
from channels.webchat.identity import Options as Identity
from channels.webchat.leaving import Options as Leaving
from channels.webchat.limits import Options as Limits
from channels.webchat.quick_replies import OPENING, Sets
from channels.webchat.texts import Texts

MEGABYTE = 1024 * 1024
# What is taken of visitors; each of these is known by its first bytes, or is text.
TYPES = (
    "image/png", "image/jpeg", "image/gif", "image/webp", "image/heic", "application/pdf", "text/plain", "text/csv",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.oasis.opendocument.text", "application/vnd.oasis.opendocument.spreadsheet",
    "application/zip", "audio/mpeg", "audio/ogg", "video/mp4", "video/webm", "video/quicktime",
)  # fmt: skip

_ORIGIN = re.compile(r"https?://(?:[a-z0-9.-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::[0-9]{1,5})?")
_COLOUR = r"^(#[0-9a-fA-F]{6})?$"


class Files(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """per_line: how many, 0 = none are taken. types: as their first bytes say, whatever they are called."""

    per_line: Annotated[int, Meta(ge=0, le=protocol.FILES_MAX)] = protocol.FILES_MAX
    max_size_bytes: Annotated[int, Meta(ge=1, le=100 * MEGABYTE)] = 10 * MEGABYTE
    types: tuple[str, ...] = TYPES


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """origins: the sites whose pages may use this chat, each exactly as a browser names it.

    name, greeting: language -> text, {} = the widget's own. accent: #rrggbb, "" = its own. contact: whether an address is
    asked for while nobody is there to answer. max_open: connections at one time. max_waiting_bytes: of uploads under way.
    """

    origins: Annotated[tuple[str, ...], Meta(min_length=1)]
    name: Texts = {}
    greeting: Texts = {}
    accent: Annotated[str, Meta(pattern=_COLOUR)] = ""
    contact: Literal["when_away", "never"] = "when_away"
    consent: agreement.Options = agreement.Options()
    identity: Identity = Identity()
    limits: Limits = Limits()
    leaving: Leaving = Leaving()
    quick_replies: Sets = {}
    files: Files = Files()
    text_max: Annotated[int, Meta(ge=1, le=protocol.TEXT_MAX)] = protocol.TEXT_MAX
    max_open: Annotated[int, Meta(ge=1, le=100_000)] = 20_000
    max_waiting_bytes: Annotated[int, Meta(ge=MEGABYTE)] = 100 * MEGABYTE

    def __post_init__(self) -> None:
        wrong = next((each for each in self.origins if not _ORIGIN.fullmatch(each)), None)
        if wrong is not None:
            raise ValueError(
                f"origins are written like https://shop.example, without a path and in small letters, not '{wrong}'"
            )


def for_pages(options: Options) -> dict[str, Any]:
    """Return settings.json: all that a page has to know before it says anything."""
    files = options.files
    opening = options.quick_replies.get(OPENING, ())
    return {
        "protocol": protocol.PROTOCOL,
        "name": options.name,
        "greeting": options.greeting,
        "accent": options.accent,
        "contact": options.contact,
        "consent": agreement.as_json(options.consent),
        "identity_required": options.identity.required,
        "openings": by_language(opening),
        "limits": {
            "text": options.text_max,
            "files": files.per_line,
            "file_bytes": files.max_size_bytes,
            "types": files.types,
        },
    }


def by_language(choices: tuple[dict[str, str], ...]) -> dict[str, list[str]]:
    """Return the buttons of a set for each language that any of them is written in."""
    from channels.webchat import texts

    languages = {language for each in choices for language in each}
    return {language: [texts.said_in(each, language) for each in choices] for language in sorted(languages)}


def languages(options: Options) -> frozenset[str]:
    """Return the languages that any text of the account is written in."""
    texts = (options.name, options.greeting, options.consent.text)
    buttons = (each for choices in options.quick_replies.values() for each in choices)
    return frozenset(language for each in (*texts, *buttons) for language in each)
