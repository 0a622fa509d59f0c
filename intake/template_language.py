"""What a reply template may say: values, conditions, a list of tags. Checked before one is ever rendered.

Jinja2's sandbox keeps a template from reaching Python; it does not keep it from being large or slow (`'a' * 10**9`,
nested loops, filters that repeat). So only what is listed here is let through: nothing that calculates, calls, repeats a
text or keeps one. A template's output is then not much longer than the template and its values.
"""

import difflib
import functools
from collections.abc import Iterator, Mapping
from typing import Any, Protocol, runtime_checkable

import msgspec
from jinja2 import StrictUndefined, Template, TemplateSyntaxError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from channels import markup

SOURCE_MAX_CHARACTERS = 50_000
VALUE_MAX_CHARACTERS = 1_000
LIST_MAX = 50
DEPTH_MAX = 50  # Jinja2 turns a template into Python, whose compiler gives up between 100 and 200

# name -> what may be asked of it; () = it is a text.
VARIABLES: dict[str, tuple[str, ...]] = {
    "ticket": ("ref", "subject", "priority", "status", "team", "tags", "language"),
    "customer": ("name", "organization", "language"),
    "organization": (),
    "expected": (),
    "open_now": (),
    "next_open": (),
    "promised": (),
    "in_answer": (),
    "senior": (),
}
_LISTS = {("ticket", "tags")}
_LOOP = ("first", "last", "index")
FILTERS = (
    "capitalize",
    "d",
    "default",
    "first",
    "join",
    "last",
    "lower",
    "title",
    "trim",
    "truncate",
    "upper",
)
TESTS = ("defined", "undefined", "none", "eq", "ne", "in")
_MEANT = {
    nodes.Call: "a call",
    nodes.Mul: "a calculation",
    nodes.Add: "a calculation (texts are joined by ~)",
    nodes.Assign: "{% set %}",
    nodes.AssignBlock: "{% set %}",
    nodes.Macro: "{% macro %}",
    nodes.Include: "{% include %}",
    nodes.Import: "{% import %}",
    nodes.FromImport: "{% import %}",
    nodes.Extends: "{% extends %}",
    nodes.Block: "{% block %}",
    nodes.Getitem: "an index",
    nodes.FilterBlock: "{% filter %}",
    nodes.CallBlock: "{% call %}",
}
_ALLOWED = (
    *(nodes.Template, nodes.Output, nodes.TemplateData, nodes.Const, nodes.Name, nodes.Getattr, nodes.Tuple),
    *(nodes.List, nodes.If, nodes.CondExpr, nodes.Compare, nodes.Operand, nodes.Not, nodes.And, nodes.Or),
    *(nodes.Filter, nodes.Test, nodes.Concat, nodes.For, nodes.Keyword),
)


@runtime_checkable
class Worded(Protocol):
    """A value that is said otherwise in each language."""

    def in_language(self, language: str) -> Any: ...


class Slip(msgspec.Struct, frozen=True):
    """What is wrong in a template. line: from 1, of the text that was checked."""

    line: int
    message: str


@functools.cache
def _environment() -> ImmutableSandboxedEnvironment:
    """Make what templates are compiled with: what is put into a text stays words, see channels.markup."""
    made = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined, keep_trailing_newline=True, finalize=_verbatim, cache_size=0
    )
    made.globals.clear()
    made.filters = {name: made.filters[name] for name in FILTERS} | {"join": _join}
    made.tests = {name: made.tests[name] for name in TESTS}
    return made


@functools.lru_cache(maxsize=1_024)
def compiled(source: str) -> Template:
    """Return a template without slips, ready to be rendered; it is compiled when it is first asked for."""
    return _environment().from_string(source)


@functools.lru_cache(maxsize=1_024)  # a reload looks at what has changed only
def slips(source: str) -> tuple[Slip, ...]:
    """Return everything that is wrong with a template."""
    if len(source) > SOURCE_MAX_CHARACTERS:
        return (Slip(1, f"it has more than {SOURCE_MAX_CHARACTERS} characters"),)
    try:
        tree = _environment().parse(source)
    except TemplateSyntaxError as error:
        return (Slip(error.lineno, error.message or "it cannot be read"),)
    except RecursionError:
        return (Slip(1, "it is nested too deeply"),)
    if _is_deep(tree):
        return (Slip(1, f"it is nested more than {DEPTH_MAX} deep"),)
    return tuple(dict.fromkeys(_wrong(tree, frozenset())))


def safe_values(values: Mapping[str, Any], language: str) -> dict[str, Any]:
    """Return the values, none of them long; those that are said in words in a template's language."""
    return {name: _bounded(_worded(value, language)) for name, value in values.items()}


def _worded(value: Any, language: str) -> Any:
    return value.in_language(language) if isinstance(value, Worded) else value


def _is_deep(tree: nodes.Node) -> bool:
    """Whether there is more in each other than a text for customers needs. Chains of `and`, `not` and filters count."""
    level: list[nodes.Node] = [tree]
    for _ in range(DEPTH_MAX):
        level = [child for node in level for child in node.iter_child_nodes()]
    return bool(level)


def _bounded(value: Any) -> Any:
    if isinstance(value, str):
        return value[:VALUE_MAX_CHARACTERS]
    if isinstance(value, dict):
        return {name: _bounded(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_bounded(inner) for inner in value[:LIST_MAX]]
    return value


def _wrong(node: nodes.Node, local: frozenset[str]) -> Iterator[Slip]:
    """Walk the tree. local: the names of the loops around the node."""
    if not isinstance(node, _ALLOWED):
        meant = _MEANT.get(type(node), f"a {type(node).__name__.lower()}")
        yield Slip(
            node.lineno, f"{meant} cannot stand in a reply template: only values, if, and for over tags"
        )
        return
    if isinstance(node, nodes.For):
        yield from _wrong_loop(node, local)
        return
    if isinstance(node, nodes.Name | nodes.Getattr):
        yield from _wrong_name(node, local)
        return
    if isinstance(node, nodes.Filter):
        yield from _unknown(node, "filter", node.name, FILTERS)
        if node.node is None:
            return
    if isinstance(node, nodes.Test):
        yield from _unknown(node, "test", node.name, TESTS)
    for child in node.iter_child_nodes():
        yield from _wrong(child, local)


def _wrong_loop(node: nodes.For, local: frozenset[str]) -> Iterator[Slip]:
    name = node.target.name if isinstance(node.target, nodes.Name) else ""
    if local or not name or node.recursive or _path(node.iter) not in _LISTS:
        yield Slip(node.lineno, "a loop goes over ticket.tags, and no loop stands in another")
        return
    inner = local | {name, "loop"}
    for child in (*node.body, *node.else_, *([node.test] if node.test is not None else ())):
        yield from _wrong(child, inner)


def _wrong_name(node: nodes.Name | nodes.Getattr, local: frozenset[str]) -> Iterator[Slip]:
    path = _path(node)
    if not path:
        yield Slip(node.lineno, "only variables have parts, like ticket.ref")
        return
    root, *rest = path
    if root in local:
        if (root == "loop" and (len(rest) != 1 or rest[0] not in _LOOP)) or (root != "loop" and rest):
            yield Slip(
                node.lineno, f"there is no '{'.'.join(path)}': {', '.join(f'loop.{each}' for each in _LOOP)}"
            )
        return
    parts = VARIABLES.get(root)
    known = [
        f"{name}.{part}" if part else name for name, all_ in VARIABLES.items() for part in (all_ or ("",))
    ]
    if parts is None or ((rest or parts) and (len(rest) != 1 or rest[0] not in parts)):
        yield from _unknown(node, "variable", ".".join(path), known)


def _unknown(node: nodes.Node, what: str, name: str, known: Any) -> Iterator[Slip]:
    if name in known:
        return
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean '{close[0]}'?" if close else f"there are {', '.join(known)}"
    yield Slip(node.lineno, f"there is no {what} '{name}': {hint}")


def _path(node: nodes.Node) -> tuple[str, ...]:
    """Return ("ticket", "ref") of ticket.ref; () = it is something else."""
    if isinstance(node, nodes.Name):
        return (node.name,)
    if isinstance(node, nodes.Getattr):
        before = _path(node.node)
        return (*before, node.attr) if before else ()
    return ()


def _verbatim(value: Any) -> str:
    return markup.verbatim(str(value))


def _join(values: Any, separator: str = ", ") -> str:
    if isinstance(values, str):
        return values
    return str(separator)[:20].join(str(value) for value in values)
