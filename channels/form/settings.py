"""What an admin may set on an account of kind form. Times in seconds, sizes in bytes."""

import re
from typing import Annotated, Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from channels.form import words

MAX_SIZE_BYTES = 26_214_400
_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z]{2,4})?")
RESERVED = frozenset(
    {
        "name",
        "email",
        "phone",
        "subject",
        "message",
        "files",
        "consent",
        "form",
        "language",
        "page",
        "website",
    }
)

Text = str | dict[str, str]  # the same for everybody, or language -> text
Asked = Literal["no", "optional", "required"]


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A mapping of the account; a key it does not know is refused."""


class Field(Section, frozen=True):
    """A field of the desk's own. label: above it; choices: value -> label, for kind choice. max_chars: of what is written."""

    label: Text
    kind: Literal["line", "text", "choice", "tick"] = "line"
    required: bool = False
    choices: dict[str, Text] = {}
    max_chars: Annotated[int, Meta(gt=0, le=20_000)] = 500

    def __post_init__(self) -> None:
        if (self.kind == "choice") != bool(self.choices):
            raise ValueError("choices belong to kind: choice, which needs some")


class Ask(Section, frozen=True):
    """Which of the usual fields there are. The message itself is always asked for."""

    name: Asked = "optional"
    email: Asked = "required"
    phone: Asked = "no"
    subject: Asked = "optional"
    files: Asked = "optional"


class Agreement(Section, frozen=True):
    """What has to be ticked before a message is sent. version: kept with the message, so that it can be shown later."""

    text: Text
    version: Annotated[str, Meta(min_length=1, max_length=60)]


class Limits(Section, frozen=True):
    """How many messages are taken from one network (an IPv4 address, an IPv6 /64) within an hour, and of all in a minute."""

    per_network_hour: Annotated[int, Meta(ge=1)] = 20
    per_minute: Annotated[int, Meta(ge=1)] = 120


class Options(Section, frozen=True):
    """addresses: ours, that answers come from; "" = those of the account that carries them.

    origins: of pages elsewhere that post to this form ("https://shop.example.com"), exactly; none may frame it but these.
    languages: in which it can be read, the first where a browser asks for none of them. words: our own instead of the
    built-in ones (channels.form.words), word -> text. thanks_url: where a browser goes afterwards, "" = our own page.
    """

    addresses: tuple[str, ...] = ()
    delimiter: str = "+"
    origins: tuple[str, ...] = ()
    languages: tuple[str, ...] = words.LANGUAGES
    words: dict[str, Text] = {}
    ask: Ask = Ask()
    fields: dict[str, Field] = {}
    consent: Agreement | None = None
    thanks_url: str = ""
    limits: Limits = Limits()
    max_files: Annotated[int, Meta(ge=1, le=20)] = 5
    max_size_bytes: Annotated[int, Meta(ge=10_000, le=104_857_600)] = MAX_SIZE_BYTES
    max_bytes_in_flight: int = 268_435_456
    max_message_chars: Annotated[int, Meta(ge=100, le=100_000)] = 20_000
    body_timeout_s: Annotated[float, Meta(gt=0, le=600)] = 120
    public_url: str = ""

    def __post_init__(self) -> None:
        for name in self.fields:
            if not _NAME.fullmatch(name) or name in RESERVED:
                raise ValueError(
                    f"'{name}' cannot name a field: small letters, digits and _, and none of {', '.join(sorted(RESERVED))}"
                )
        for each in self.languages:
            if not _LANGUAGE.fullmatch(each):
                raise ValueError(f"'{each}' is not a language: it is written like en or pt-BR")
        if not self.languages:
            raise ValueError("languages names at least one")
        for name in self.words:
            if name not in words.WORDS[words.ENGLISH]:
                raise ValueError(
                    f"there is no word '{name}': {', '.join(sorted(words.WORDS[words.ENGLISH]))}"
                )
        for each in self.origins:
            if each != origin_of(each):
                raise ValueError(f"'{each}' is not an origin: it is written like https://shop.example.com")
        if self.thanks_url and not self.thanks_url.startswith(("https://", "http://")):
            raise ValueError(
                f"thanks_url is written like https://shop.example.com/thanks, not '{self.thanks_url}'"
            )
        if self.max_bytes_in_flight < self.max_size_bytes:
            raise ValueError("max_bytes_in_flight must hold at least one message of max_size_bytes")


def origin_of(url: str) -> str:
    """Return the origin of a URL as browsers write it (RFC 6454 §6.2); "" = it has none."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return ""
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    shown = "" if port in (None, {"http": 80, "https": 443}[parts.scheme]) else f":{port}"
    return f"{parts.scheme}://{host}{shown}"
