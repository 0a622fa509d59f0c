"""Reply templates: `config/replies/<name>.<language>.md`, Markdown, an optional first line `Subject: …`.

Templates are the admin's (sandboxed, bounded: intake.template_language); what the customer wrote is only ever a value in
them, stays words there, and nothing a stranger wrote is sent on to an address that has not been verified.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from channels import markup

OUTPUT_MAX_CHARACTERS = 20_000
SUBJECT_MAX_CHARACTERS = 200
FALLBACK_LANGUAGE = "en"
_SUBJECT = "subject:"


class Reply(msgspec.Struct, frozen=True):
    """A rendered template. subject: None = the template names none. text: with its values marked as verbatim."""

    subject: str | None
    text: str
    language: str


class Fault(msgspec.Struct, frozen=True):
    """Something wrong in a template. file: its name in the folder; line: from 1."""

    file: str
    line: int
    message: str


class TemplateProblem(Exception):
    """Templates cannot be read or rendered: which, where and why."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__(
            "; ".join(f"reply template {each.file}:{each.line}: {each.message}" for each in self.faults)
        )


class Replies:
    """All templates of a folder. Each is compiled when it is first said: a desk has many, and says few."""

    def __init__(self, sources: Mapping[tuple[str, str], str]) -> None:
        """Look through them. Raises: TemplateProblem with everything that is wrong in any."""
        from intake import template_language

        self._language = template_language
        self._templates: dict[tuple[str, str], tuple[str | None, str]] = {}
        faults: list[Fault] = []
        for key, source in sources.items():
            subject, text, first_line = _parts(source)
            found = [] if subject is None else [*template_language.slips(subject)]
            below = template_language.slips(text)
            found += [msgspec.structs.replace(each, line=each.line + first_line - 1) for each in below]
            faults += [Fault(_file(key), each.line, each.message) for each in found]
            self._templates[key] = subject, text
        if faults:
            raise TemplateProblem(faults)

    @property
    def known(self) -> frozenset[tuple[str, str]]:
        """Return (name, language) of each template."""
        return frozenset(self._templates)

    def render(self, name: str, language: str | None, values: Mapping[str, Any]) -> Reply | None:
        """Render in the language asked for, else in English, else in any; None when no template has this name.

        Raises: TemplateProblem.
        """
        found = self._language_of(name, language)
        if found is None:
            return None
        subject, text = self._templates[name, found]
        bounded, compiled = self._language.safe_values(values, found), self._language.compiled
        try:
            said = None if subject is None else _subject(compiled(subject), bounded)
            return Reply(said, _text(compiled(text), bounded), found)
        except Exception as error:
            raise TemplateProblem([Fault(_file((name, found)), 1, str(error))]) from error

    def _language_of(self, name: str, language: str | None) -> str | None:
        wanted = [
            language,
            language.partition("-")[0] if language else None,
            FALLBACK_LANGUAGE,
            *sorted(known for known_name, known in self._templates if known_name == name),
        ]
        return next((choice for choice in wanted if choice and (name, choice) in self._templates), None)


def _subject(template: Any, values: Mapping[str, Any]) -> str | None:
    words = markup.plain(_text(template, values)).split()
    return " ".join(words)[:SUBJECT_MAX_CHARACTERS] or None


def _text(template: Any, values: Mapping[str, Any]) -> str:
    """Render piece by piece: what is too long is stopped while it grows."""
    pieces, length = [], 0
    for piece in template.generate(values):
        length += len(piece)
        if length > OUTPUT_MAX_CHARACTERS:
            raise ValueError(f"it makes more than {OUTPUT_MAX_CHARACTERS} characters")
        pieces.append(piece)
    return "".join(pieces)


def _file(key: tuple[str, str]) -> str:
    return f"{key[0]}.{key[1]}.md"


def _parts(source: str) -> tuple[str | None, str, int]:
    """Return subject, text, and the line that the text begins at."""
    first, _, rest = source.removeprefix("\ufeff").partition("\n")
    if first.lower().startswith(_SUBJECT):
        text = rest.lstrip("\n")
        return first[len(_SUBJECT) :].strip(), text, 2 + len(rest) - len(text)
    return None, source.removeprefix("\ufeff"), 1
