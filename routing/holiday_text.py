"""How holidays are written: countries and parts of them, and iCalendar files beside the rules -> what closes."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Literal

import msgspec

from routing import beside, ical
from routing.calendar import parts_of_country, public_holidays
from routing.closings import Closing
from routing.ical import Ical
from routing.naming import entries
from routing.problems import ConfigError, Problem
from routing.typed import convert, said
from routing.yaml_text import Node

_COUNTRY = re.compile(
    r"[A-Z]{2,3}(-[^ -/][^-/]{0,30})?\Z"
)  # a part may be a town: DE-Augsburg, CH-Stadt Zurich
_ANY_YEAR = 2026  # whether a country is known does not depend on it


class FileNode(msgspec.Struct, frozen=True):
    """`{file: company.ics}`. free: whether events that are marked as free time leave the calendar open."""

    file: Node
    free: Literal["open", "closed"] = "open"


def files_of(texts: Mapping[str, str]) -> tuple[str, ...]:
    """The iCalendar files that calendars name, of all files of the rules; what can't be read is left to `load` to tell."""
    return files_named(entries(list(beside.sections(texts, "calendars")), "calendar", []))


def files_named(calendars: Mapping[str, Node]) -> tuple[str, ...]:
    """The same of the section that is read already."""
    written = (
        node.value["holidays"] for node in calendars.values() if node.is_mapping and "holidays" in node.value
    )
    named = (each.value.get("file") for node in written for each in _items(node) if each.is_mapping)
    return tuple(sorted({node.value for node in named if node is not None and beside.is_file_name(node)}))


def read_holidays(
    node: Node, brought: Mapping[str, str], problems: list[Problem]
) -> tuple[tuple[str, ...], tuple[Closing, ...]]:
    """`PL`, `{file: company.ics}`, or a list of such."""
    codes: list[str] = []
    closings: list[Closing] = []
    for each in _items(node):
        if each.is_mapping:
            closings.extend(_read_file(each, brought, problems))
        elif _is_country(each, problems):
            codes.append(each.value)
    return tuple(dict.fromkeys(codes)), tuple(dict.fromkeys(closings))


def _items(node: Node) -> tuple[Node, ...]:
    return node.value if node.is_list else (node,)


def _is_country(node: Node, problems: list[Problem]) -> bool:
    if not isinstance(node.value, str) or not _COUNTRY.match(node.value):
        hint = "write a country like PL, a part of one like DE-BY, or {file: company.ics}"
        problems.append(node.problem("bad-value", f"no country code {said(node)}", hint))
        return False
    try:
        public_holidays(node.value, _ANY_YEAR)
    except ValueError as error:
        country, _, part = node.value.partition("-")
        parts = parts_of_country(country) if part else ()
        hint = "own days go under dates:, or into a file: {file: company.ics}"
        if parts:
            hint = f"of {country} these parts are known: {', '.join(parts)}"
        problems.append(node.problem("unknown-country", str(error), hint))
        return False
    return True


def _read_file(node: Node, brought: Mapping[str, str], problems: list[Problem]) -> tuple[Closing, ...]:
    """What a file closes; nothing when it is not there, which is told."""
    written: FileNode | None = convert(node, FileNode, problems=problems)
    if written is None:
        return ()
    if not beside.is_file_name(written.file):
        hint = "the file stands beside the rules: write company.ics"
        problems.append(written.file.problem("bad-value", f"{said(written.file)} is no name of a file", hint))
        return ()
    file = written.file.value
    if file not in brought:
        hint = "the calendar goes on without it; the file belongs beside the rules"
        problems.append(written.file.warning("missing-calendar", f"the file '{file}' is not there", hint))
        return ()
    try:
        found = _ical(brought[file], file, is_free_closed=written.free == "closed")
    except ConfigError as error:
        problems.extend(error.problems)
        return ()
    problems.extend(found.warnings)
    if not found.closings:
        problems.append(_closes_nothing(written.file, found))
    return found.closings


def _closes_nothing(node: Node, found: Ical) -> Problem:
    if found.free:
        message = f"nothing in '{node.value}' closes: {found.free} of its {found.events} events are marked as free time"
        return node.warning(
            "closes-nothing", message, f"if they close all the same: {{file: {node.value}, free: closed}}"
        )
    return node.warning(
        "closes-nothing", f"nothing in '{node.value}' closes: it has {found.events} events", ""
    )


@lru_cache(maxsize=8)
def _ical(text: str, file: str, *, is_free_closed: bool) -> Ical:
    """Raises: ConfigError."""
    return ical.read(text, file=file, is_free_closed=is_free_closed)
