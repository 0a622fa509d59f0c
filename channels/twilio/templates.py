"""Templates of WhatsApp, as an account names them: what may be sent when the customer's 24 hours are over.

Twilio holds the approved text under a ContentSid; sent are its id and the values of its variables, {"1": "Ms Ito"}. Here
is what an agent has to see before: the text, in its language. A value is one line (twilio.com/docs/content/
using-variables-with-content-api, checked 2026-11).
"""

import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta

_PLACE = re.compile(r"\{\{\s*([0-9]{1,2})\s*\}\}")
_NAME = re.compile(r"[a-z][a-z0-9_-]*")
_LANGUAGE = re.compile(r"[a-z]{2}")
_SID = re.compile(r"HX[0-9a-f]{32}")
VALUE_MAX_CHARACTERS = 500


class Template(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """name: for agents, the same in every language. language: ISO 639-1. sid: Twilio's ContentSid.

    text: as it was approved, its variables written {{1}}, {{2}}. variables: what each of them is, in order.
    """

    name: str
    language: str
    sid: str
    text: Annotated[str, Meta(min_length=1)]
    variables: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"a template's name is written like still_there, not '{self.name}'")
        if not _LANGUAGE.fullmatch(self.language):
            raise ValueError(f"a template's language is written like en, not '{self.language}'")
        if not _SID.fullmatch(self.sid):
            raise ValueError("a template's sid is Twilio's ContentSid: HX and 32 of 0-9a-f")
        places = {int(each) for each in _PLACE.findall(self.text)}
        if places != set(range(1, len(self.variables) + 1)):
            raise ValueError(
                f"template '{self.name}' names {len(self.variables)} variables, and its text has other places for them"
            )

    def asked(self, values: Iterable[str]) -> dict[str, Any]:
        """Return what OutboundMessage.extra says of it. Raises: ValueError, one sentence."""
        given = self._checked(values)
        return {"sid": self.sid, "variables": {str(at): value for at, value in enumerate(given, 1)}}

    def rendered(self, values: Iterable[str]) -> str:
        """Return what the customer reads. Raises: ValueError, one sentence."""
        given = self._checked(values)
        return _PLACE.sub(lambda found: given[int(found[1]) - 1], self.text)

    def _checked(self, values: Iterable[str]) -> list[str]:
        given = [" ".join(each.split()) for each in values]
        if len(given) != len(self.variables):
            wanted = f": {', '.join(self.variables)}" if self.variables else ""
            raise ValueError(
                f"template '{self.name}' wants {len(self.variables)} values, not {len(given)}{wanted}"
            )
        empty = [name for name, value in zip(self.variables, given, strict=True) if not value]
        if empty:
            raise ValueError(f"template '{self.name}' wants a value for {empty[0]}")
        if any(len(each) > VALUE_MAX_CHARACTERS for each in given):
            raise ValueError(f"a value of template '{self.name}' is longer than {VALUE_MAX_CHARACTERS}")
        return given


def fitting(templates: Iterable[Template], *, language: str | None) -> tuple[Template, ...]:
    """Return the templates, those of a language first, otherwise in the order in which they are written."""
    return tuple(sorted(templates, key=lambda each: each.language != language))


def named(templates: Iterable[Template], name: str, *, language: str | None) -> Template | None:
    """Return the template of a name, in the language if there is one; None = there is none of that name."""
    return next((each for each in fitting(templates, language=language) if each.name == name), None)


def check_unique(templates: Iterable[Template]) -> None:
    """Raises: ValueError when a name stands twice in one language."""
    seen: set[tuple[str, str]] = set()
    for each in templates:
        if (each.name, each.language) in seen:
            raise ValueError(f"template '{each.name}' stands twice in '{each.language}'")
        seen.add((each.name, each.language))


def variables_json(extra: Mapping[str, Any]) -> str:
    return msgspec.json.encode(extra.get("variables", {})).decode()
