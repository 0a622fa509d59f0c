"""Reply templates: `config/replies/<name>.<language>.md`, plain text, an optional first line `Subject: …`.

Templates are the admin's (sandboxed, bounded); what the customer wrote is only ever a value in them, and nothing a
stranger wrote is sent on to an address that has not been verified.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

OUTPUT_MAX_CHARACTERS = 20_000
FALLBACK_LANGUAGE = "en"
_SUBJECT = "subject:"


class Reply(msgspec.Struct, frozen=True):
    """A rendered template. subject: None = the template names none."""

    subject: str | None
    text: str
    language: str


class TemplateProblem(Exception):
    """A template cannot be read or rendered: which one, and why."""


class Replies:
    """All templates of a folder, compiled once."""

    def __init__(self, sources: Mapping[tuple[str, str], str]) -> None:
        from jinja2 import StrictUndefined, TemplateError
        from jinja2.sandbox import ImmutableSandboxedEnvironment

        environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, keep_trailing_newline=True)
        environment.globals.clear()
        self._templates: dict[tuple[str, str], tuple[Any, Any]] = {}
        for key, source in sources.items():
            subject, text = _parts(source)
            try:
                self._templates[key] = (
                    environment.from_string(subject) if subject is not None else None,
                    environment.from_string(text),
                )
            except TemplateError as error:
                raise TemplateProblem(f"reply template {'.'.join(key)}.md: {error}") from error

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
        try:
            rendered = Reply(subject.render(values).strip() if subject else None, text.render(values), found)
        except Exception as error:
            raise TemplateProblem(f"reply template {name}.{found}.md: {error}") from error
        if len(rendered.text) > OUTPUT_MAX_CHARACTERS:
            raise TemplateProblem(
                f"reply template {name}.{found}.md: makes more than {OUTPUT_MAX_CHARACTERS} characters"
            )
        return rendered

    def _language_of(self, name: str, language: str | None) -> str | None:
        wanted = [
            language,
            FALLBACK_LANGUAGE,
            *sorted(known for known_name, known in self._templates if known_name == name),
        ]
        return next((choice for choice in wanted if choice and (name, choice) in self._templates), None)


def read_folder(folder: Path) -> dict[tuple[str, str], str]:
    """Return (name, language) -> text of each `<name>.<language>.md`; none when the folder is absent."""
    sources = {}
    for path in sorted(folder.glob("*.md")) if folder.is_dir() else ():
        name, _, language = path.stem.rpartition(".")
        if name and language:
            sources[name, language] = path.read_text("utf-8")
    return sources


def _parts(source: str) -> tuple[str | None, str]:
    first, _, rest = source.partition("\n")
    if first.lower().startswith(_SUBJECT):
        return first[len(_SUBJECT) :].strip(), rest.lstrip("\n")
    return None, source
