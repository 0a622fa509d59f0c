"""How lists are written: values here, in a file beside the rules, or kept at the desk."""

import re
from collections.abc import Mapping, Sequence

import msgspec

from routing import beside
from routing.naming import check_name, entries
from routing.problems import Problem
from routing.typed import convert, said
from routing.yaml_text import Node

_STAR = re.compile(r"\*\.[^*]+\Z|[^*]+/\*\Z")
_SHAPES = "write [value, value], {file: NAME.csv} or {kept: desk}"


class Lists(msgspec.Struct, frozen=True):
    """values: of the lists written here and in files. files: list -> file name. kept: names of those kept at the desk."""

    values: dict[str, tuple[str, ...]]
    files: dict[str, str]
    kept: frozenset[str]


def read_lists(
    nodes: Mapping[str, Node], brought: Mapping[str, Sequence[str]], problems: list[Problem]
) -> Lists:
    """brought: values that the caller has; they are stronger. A file's list without them is empty, which is told."""
    values = {name: tuple(each) for name, each in brought.items()}
    files: dict[str, str] = {}
    kept: set[str] = set()
    for name, node in nodes.items():
        if node.is_list:
            values.setdefault(name, convert(node, tuple[str, ...], problems=problems) or ())
        elif (source := _source(node, problems)) is None:
            values.setdefault(name, ())
        elif source == "kept":
            kept.add(name)
        else:
            files[name] = node.value["file"].value
            if name not in values:
                values[name] = ()
                message = f"the file '{files[name]}' of list '{name}' is not there"
                hint = "the list is empty; the file belongs beside the rules"
                problems.append(node.value["file"].warning("missing-list", message, hint))
        if name in values:
            _warn_of_stars(name, node, values[name], problems)
    kept.difference_update(brought)
    return Lists(values, files, frozenset(kept))


def _warn_of_stars(name: str, node: Node, values: Sequence[str], problems: list[Problem]) -> None:
    """A star that stands for nothing: such a value is never met, and nobody would see it."""
    dead = [value for value in values if "*" in value and not _STAR.match(value)]
    if dead:
        others = f" and {len(dead) - 1} more" if len(dead) > 1 else ""
        message = (
            f"'{dead[0]}'{others} in list '{name}' matches nothing: '*' is understood as \"*.acme.com\" only"
        )
        hint = "for a whole domain write acme.com, and ask for sender.domain"
        problems.append(node.warning("dead-value", message, hint))


def _source(node: Node, problems: list[Problem]) -> str | None:
    """Whether the values are in a "file" or "kept"; None = neither."""
    if not isinstance(node.value, dict) or len(node.value) != 1:
        problems.append(node.problem("wrong-type", f"no list {said(node)}", _SHAPES))
        return None
    [(key, child)] = node.value.items()
    if key == "kept":
        return "kept" if check_name(child, ("desk",), "place", problems) else None
    if key != "file":
        problems.append(node.keys[key].problem("unknown-key", f"no key '{key}' here", _SHAPES))
        return None
    if not beside.is_file_name(child):
        message = f"{said(child)} is no name of a file"
        problems.append(
            child.problem("bad-value", message, "the file stands beside the rules: write vip.csv")
        )
        return None
    return "file"


def files_of(texts: Mapping[str, str]) -> dict[str, str]:
    """List -> file name, of all files of the rules; what can't be read is left to `load` to tell."""
    nodes = entries(list(beside.sections(texts, "lists")), "list", [])
    return {
        name: node.value["file"].value
        for name, node in nodes.items()
        if isinstance(node.value, dict) and "file" in node.value and beside.is_file_name(node.value["file"])
    }
