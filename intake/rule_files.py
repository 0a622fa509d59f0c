"""The files behind a rulebook, read as they stood at one moment: rules, lists and calendars beside them, reply templates.

Editors write in place or by renaming; what changed while it was being read is read again.
"""

import csv
import re
import time
from collections.abc import Mapping
from pathlib import Path

import msgspec

from routing import ical_lines
from routing import rulebook as rules
from routing.problems import ConfigError, Problem

LIST_MAX_BYTES = 16 * 1024 * 1024
CALENDAR_MAX_BYTES = 2 * ical_lines.MAX_CHARACTERS  # it may be in UTF-16
TRIES = 20
PAUSE_S = 0.05

_SPLIT_LETTER = re.compile(rb"(\r?\n[ \t])([\x80-\xbf]+)")

Look = tuple[tuple[str, int, int, int], ...]
"""Name, inode, size and time of change (ns) of each file, in the order of names."""


class Sources(msgspec.Struct, frozen=True):
    """files: name -> text. lists: list -> values of its file, without those whose file is not there.

    calendars: iCalendar file -> text, without those that are not there. replies: (name, language) -> template.
    named_paths: where lists and calendars were looked for. look: how all of it stood.
    """

    files: dict[str, str]
    lists: dict[str, tuple[str, ...]] = {}
    replies: dict[tuple[str, str], str] = {}
    named_paths: tuple[str, ...] = ()
    look: Look = ()
    calendars: dict[str, str] = {}

    @property
    def size(self) -> int:
        """Characters of rules and calendars, which is what reading them costs by."""
        return sum(map(len, (*self.files.values(), *self.calendars.values())))


def read(rules_path: Path, replies_path: Path) -> Sources:
    """Read all of it. Takes up to a second while somebody writes.

    Raises: ConfigError when something cannot be read, or is no text, or a list or a calendar is too big.
    """
    named_paths: tuple[str, ...] = ()
    for left in reversed(range(TRIES)):
        before = look(rules_path, replies_path, named_paths)
        try:
            sources = _read_once(rules_path, replies_path)
        except ConfigError:
            if left == 0 or look(rules_path, replies_path, named_paths) == before:
                raise
            time.sleep(PAUSE_S)
            continue
        is_known = sources.named_paths == named_paths
        named_paths = sources.named_paths
        if is_known and look(rules_path, replies_path, named_paths) == before:
            return msgspec.structs.replace(sources, look=before)
        if is_known:
            time.sleep(PAUSE_S)
    return sources


def look(rules_path: Path, replies_path: Path, named_paths: tuple[str, ...] = ()) -> Look:
    """Look at every file without reading it."""
    files = [*_rule_files(rules_path), *replies_path.glob("*.md"), *map(Path, named_paths)]
    seen = []
    for file in sorted(set(files)):
        try:
            status = file.stat()
        except OSError:
            continue
        seen.append((str(file), status.st_ino, status.st_size, status.st_mtime_ns))
    return tuple(seen)


def texts(path: Path) -> dict[str, str]:
    """Return name -> text of the rules file, or of the *.yaml files of a folder.

    Raises: ConfigError when a file is not there or not UTF-8.
    """
    files = _rule_files(path)
    if not files:
        raise ConfigError([Problem(str(path), 1, 1, "error", "no-rules", "the folder has no .yaml file")])
    return {file.name: _text(file) for file in files}


def named_paths(files: Mapping[str, str], rules_path: Path) -> tuple[str, ...]:
    """Return where the files that rules name are looked for: lists and calendars. files: name -> text of the rules."""
    folder = rules_path if rules_path.is_dir() else rules_path.parent
    named = {*rules.list_files(files).values(), *rules.calendar_files(files)}
    return tuple(sorted(str(folder / file) for file in named))


def calendar_text(content: bytes) -> str:
    """Return what an iCalendar file says about when something is closed, whatever its charset; see ical_lines.essence.

    The rest is nobody's business: the rules are kept, and published to the other daemons of a store.
    """
    from channels.email import charsets

    text, _ = charsets.text_from_bytes(content if _is_utf8(content) else _with_whole_letters(content))
    return ical_lines.essence(text)


def _with_whole_letters(content: bytes) -> bytes:
    """Return the text with each fold behind the letter of UTF-8 that it splits; as it is when that makes no UTF-8 of it."""
    whole = _SPLIT_LETTER.sub(rb"\2\1", content)
    return whole if _is_utf8(whole) else content


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def list_values(text: str, *, is_csv: bool) -> tuple[str, ...]:
    """Return the values of a list's file, each once: one a line, or a CSV's first column; # begins a comment.

    A CSV's columns end at the first of , ; or tab that its first line has.
    """
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    if is_csv and lines:
        ends = min(",;\t", key=lambda mark: lines[0].find(mark) % (len(lines[0]) + 1))
        values = [row[0] for row in csv.reader(lines, delimiter=ends) if row]
    else:
        values = [line.partition(" #")[0] for line in lines]
    return tuple(dict.fromkeys(value.strip() for value in values if value.strip()))


def _read_once(rules_path: Path, replies_path: Path) -> Sources:
    files = texts(rules_path)
    folder = rules_path if rules_path.is_dir() else rules_path.parent
    lists = {name: folder / file for name, file in rules.list_files(files).items()}
    calendars = {file: folder / file for file in rules.calendar_files(files)}
    return Sources(
        files,
        {name: _list(path) for name, path in lists.items() if path.exists()},
        _templates(replies_path),
        named_paths(files, rules_path),
        calendars={file: _calendar(path) for file, path in calendars.items() if path.exists()},
    )


def _rule_files(path: Path) -> list[Path]:
    return sorted(path.glob("*.yaml")) if path.is_dir() else [path]


def _templates(folder: Path) -> dict[tuple[str, str], str]:
    """Return (name, language) -> text of each `<name>.<language>.md`; none when the folder is absent."""
    found = {}
    for path in sorted(folder.glob("*.md")) if folder.is_dir() else ():
        name, _, language = path.stem.rpartition(".")
        if name and language:
            found[name, language] = _text(path)
    return found


def _list(path: Path) -> tuple[str, ...]:
    _check_size(path, "list", LIST_MAX_BYTES)
    text = _text(path, encoding="utf-8-sig")
    try:
        return list_values(text, is_csv=path.suffix.lower() == ".csv")
    except csv.Error as error:
        raise ConfigError([Problem(path.name, 1, 1, "error", "bad-list", f"no CSV: {error}")]) from error


def _calendar(path: Path) -> str:
    _check_size(path, "calendar", CALENDAR_MAX_BYTES)
    try:
        return calendar_text(path.read_bytes())
    except OSError as error:
        raise _unreadable(path, error.strerror) from error


def _check_size(path: Path, what: str, most: int) -> None:
    try:
        size_bytes = path.stat().st_size
    except OSError:
        return
    if size_bytes > most:
        message = f"it has {size_bytes} bytes; a {what} may have {most}"
        raise ConfigError([Problem(path.name, 1, 1, "error", "too-big", message)])


def _text(file: Path, *, encoding: str = "utf-8") -> str:
    try:
        return file.read_text(encoding)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise _unreadable(file, reason) from error


def _unreadable(file: Path, reason: str | None) -> ConfigError:
    return ConfigError([Problem(str(file), 1, 1, "error", "unreadable", f"cannot be read: {reason}")])
