"""What visitors agree to before their first line is kept: `consent:` of a chat account.

    consent:
      text: {en: "We keep what you write for 30 days.", pl: "…"}
      link: https://shop.example/privacy

A version names the texts. Where none is written it is made of them, so that nobody can change a text and forget to ask again.
Who has agreed to another version is asked once more; what they typed meanwhile stays where it is.
"""

import re
from hashlib import sha256
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from channels.webchat import texts
from channels.webchat.texts import Texts

_LINK = re.compile(r"https?://[^\s\"'<>]{1,500}")


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """text: language -> what is agreed to; {} = nobody is asked. version: "" = made of the texts. link: of the whole of it."""

    text: Texts = {}
    version: Annotated[str, Meta(pattern=r"^[A-Za-z0-9._-]{0,64}$")] = ""
    link: str = ""

    def __post_init__(self) -> None:
        if self.link and not _LINK.fullmatch(self.link):
            raise ValueError(f"consent.link is written like https://shop.example/privacy, not '{self.link}'")
        if (self.version or self.link) and not self.text:
            raise ValueError("consent: without a text nobody can agree to anything")

    @property
    def asked(self) -> str:
        """The version that counts now; "" = nobody is asked."""
        if not self.text:
            return ""
        whole = msgspec.json.encode([sorted(self.text.items()), self.link])
        return self.version or sha256(whole).hexdigest()[:12]


def is_missing(options: Options, agreed: str | None) -> bool:
    """Whether a visitor who has agreed to a version, None = to nothing, is to be asked before a line of theirs is kept."""
    return bool(options.asked) and agreed != options.asked


def as_json(options: Options) -> dict[str, Any] | None:
    """Return what a page has to show; None = nothing."""
    return {"version": options.asked, "text": options.text, "link": options.link} if options.asked else None


def kept(options: Options, locale: str) -> dict[str, str]:
    """Return what is kept of an agreement: the version, and the very words in the language that they were shown in."""
    language = texts.language_of(options.text, locale)
    said = options.text.get(language, "")
    return {"version": options.asked, "language": language, "text": said, "link": options.link}
