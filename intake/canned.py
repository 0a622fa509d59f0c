"""Canned replies: texts that agents put into their answers, `canned/<name>.<language>.md` beside intake.yaml.

Markdown in the language of reply templates (intake.template_language). Lines on top name it and say whose it is:

    Title: How to reset a password
    Team: support, technical
    Shortcut: reset

    Hello {{ customer.name }}, …

The variant in the customer's language is taken, else English, else any. A variable that is empty leaves a gap, written
[[customer.name]]: the composer shows where, and an answer with a gap in it is not sent. The folder is read again when a file
in it changes; what is wrong with one file says so and leaves the others alone.
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from channels import markup
from intake import answering, customers, template_language
from intake.desk import DeskError, meant
from intake.model import Context, Ticket
from intake.occasion import Occasion
from intake.replies import FALLBACK_LANGUAGE, OUTPUT_MAX_CHARACTERS, Fault
from intake.store.engine import Tx

FILES_MAX = 2_000

_FILE = re.compile(r"([a-z0-9][a-z0-9_-]{0,63})\.([a-z]{2,3}(?:-[a-z0-9]{2,8})?)\.md")
_HEAD = re.compile(r"(title|team|shortcut):(.*)", re.IGNORECASE)
_GAP = re.compile(r"\[\[([a-z_]+(?:\.[a-z_]+)?)\]\]")

Look = tuple[tuple[str, int, int], ...]


class Text(msgspec.Struct, frozen=True, kw_only=True):
    """One file. teams: who may use it, () = everybody. shortcut: what is typed for it, "" = its name. source: the template."""

    name: str
    language: str
    title: str
    source: str
    teams: tuple[str, ...] = ()
    shortcut: str = ""


class Filled(msgspec.Struct, frozen=True, kw_only=True):
    """A canned reply for one ticket. text: Markdown; gaps: the variables that are empty, each once, in their order."""

    name: str
    language: str
    title: str
    text: str
    gaps: tuple[str, ...] = ()


class Canned:
    """The texts of a folder as they stood when they were read. faults: what is wrong with files that were left out."""

    def __init__(self, texts: Iterable[Text] = (), faults: Iterable[Fault] = ()) -> None:
        self._texts = {(each.name, each.language): each for each in texts}
        self.faults = tuple(faults)

    def __iter__(self) -> Any:
        return iter(sorted(self._texts.values(), key=lambda each: (each.title.casefold(), each.language)))

    def __len__(self) -> int:
        return len(self._texts)

    def fitting(self, *, language: str | None, teams: frozenset[str] | None = None) -> tuple[Text, ...]:
        """Return each text once, in the language asked for where there is one. teams: of who asks, None = all of them."""
        names = dict.fromkeys(each.name for each in self)
        found = (self._variant(name, language) for name in names)
        return tuple(each for each in found if teams is None or not each.teams or teams & set(each.teams))

    def named(self, name: str, *, language: str | None, teams: frozenset[str] | None = None) -> Text:
        """Return the variant for a language. teams: as `fitting`. Raises: DeskError when there is none of this name for them."""
        known = [each.name for each in self.fitting(language=language, teams=teams)]
        if name not in known:
            raise DeskError(f"there is no canned reply '{name}'{meant(name, known)}")
        return self._variant(name, language)

    def _variant(self, name: str, language: str | None) -> Text:
        own = sorted(each for known, each in self._texts if known == name)
        short = language.partition("-")[0] if language else None
        wanted = next(each for each in (language, short, FALLBACK_LANGUAGE, *own) if each in own)
        return self._texts[name, str(wanted)]


class Folder:
    """Reads the folder again when something in it has changed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._look: Look | None = None
        self._canned = Canned()

    @property
    def now(self) -> Canned:
        """The texts as they stand. Looks at each file's time and size; reads none that nobody has changed."""
        look = _look(self._path)
        if look != self._look:
            self._canned, self._look = read(self._path), look
        return self._canned


def read(path: Path) -> Canned:
    """Read a folder; one that is not there has no texts."""
    texts, faults = [], []
    for file in sorted(path.glob("*.md"))[:FILES_MAX]:
        found = _text(file)
        if isinstance(found, Text):
            texts.append(found)
        else:
            faults += found
    return Canned(texts, faults)


def fill(tx: Tx, context: Context, ticket: Ticket, text: Text) -> Filled:
    """Put a ticket's values into a text. Raises: DeskError when it cannot be filled in."""
    customer = customers.load(tx, ticket.customer_id)
    # An agent reads it before it goes: what the customer is called is shown whether or not they have proven it.
    seen = Occasion(cause="canned", customer=customer, is_verified=True, subject=ticket.subject)
    values = template_language.safe_values(answering.values(tx, context, ticket, seen), text.language)
    try:
        pieces = template_language.compiled(text.source).generate(_with_gaps(values))
        written = _joined(pieces)
    except Exception as error:
        raise DeskError(
            f"the canned reply {text.name}.{text.language}.md cannot be filled in: {error}"
        ) from error
    return Filled(
        name=text.name,
        language=text.language,
        title=text.title,
        text=markup.markdown_of(written).strip(),
        gaps=gaps(markup.plain(written)),
    )


def gaps(text: str) -> tuple[str, ...]:
    """Return the variables that a text still has gaps for."""
    return tuple(
        dict.fromkeys(found[1] for found in _GAP.finditer(text.replace("\\", "")) if _is_known(found[1]))
    )


def _is_known(path: str) -> bool:
    root, _, part = path.partition(".")
    parts = template_language.VARIABLES.get(root)
    return parts is not None and (part in parts if parts else not part)


class _Gap(str):
    """A value that is not there: false where a template asks for it, and a mark where it is written."""

    __slots__ = ()

    def __bool__(self) -> bool:
        return False


def _with_gaps(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    return {name: _value(value, f"{prefix}{name}") for name, value in values.items()}


def _value(value: Any, path: str) -> Any:
    if isinstance(value, dict):
        return _with_gaps(value, f"{path}.")
    if isinstance(value, bool | list | tuple):
        return value
    return value if str(value) else _Gap(f"[[{path}]]")


def _joined(pieces: Iterable[str]) -> str:
    """Join piece by piece: what is too long is stopped while it grows."""
    said, length = [], 0
    for piece in pieces:
        length += len(piece)
        if length > OUTPUT_MAX_CHARACTERS:
            raise ValueError(f"it makes more than {OUTPUT_MAX_CHARACTERS} characters")
        said.append(piece)
    return "".join(said)


def _look(path: Path) -> Look:
    found = []
    for file in path.glob("*.md"):
        try:
            status = file.stat()
        except OSError:
            continue
        found.append((file.name, status.st_size, status.st_mtime_ns))
    return tuple(sorted(found))


def _text(file: Path) -> Text | list[Fault]:
    """Return what a file says, or what is wrong with it."""
    named = _FILE.fullmatch(file.name)
    if named is None:
        return [Fault(file.name, 1, "it is called like greeting.en.md: a name, a language, .md")]
    try:
        written = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return [Fault(file.name, 1, "it cannot be read as UTF-8 text")]
    head, source, first_line = _parts(written)
    slips = template_language.slips(source)
    if slips:
        return [Fault(file.name, each.line + first_line - 1, each.message) for each in slips]
    if not source.strip():
        return [Fault(file.name, first_line, "it says nothing")]
    teams = tuple(each.strip() for each in head.get("team", "").split(",") if each.strip())
    return Text(
        name=named[1],
        language=named[2],
        title=head.get("title") or named[1].replace("-", " ").replace("_", " "),
        source=source,
        teams=teams,
        shortcut=head.get("shortcut", ""),
    )


def _parts(written: str) -> tuple[dict[str, str], str, int]:
    """Return the lines on top by name, the text, and the line that it begins at."""
    lines, head = written.splitlines(keepends=True), {}
    at = 0
    while at < len(lines) and (found := _HEAD.fullmatch(lines[at].strip())):
        head[found[1].lower()] = found[2].strip()
        at += 1
    while head and at < len(lines) and not lines[at].strip():
        at += 1
    return head, "".join(lines[at:]), at + 1
