"""Every regular expression of the project, with the way in which the code asks it."""

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import channels
import intake
import routing

METHODS = frozenset({"match", "fullmatch", "search", "finditer", "findall", "sub", "subn", "split"})
_AT_ONE_PLACE = frozenset({"match", "fullmatch"})


class Asked(NamedTuple):
    """A pattern by its name. is_anywhere: every place of a text is tried as a beginning, as `search` does."""

    name: str
    pattern: re.Pattern[Any]
    is_anywhere: bool


def found() -> list[Asked]:
    """Each pattern once, also those that are compiled where they are asked."""
    modules = list(_modules())
    uses = _Uses()
    for module in modules:
        uses.read(module)
    by_text: dict[tuple[Any, int], Asked] = {}
    for each in [*_compiled(modules, uses), *uses.inline]:
        key = (each.pattern.pattern, each.pattern.flags)
        known = by_text.get(key)
        is_anywhere = each.is_anywhere or (known is not None and known.is_anywhere)
        by_text[key] = (known or each)._replace(is_anywhere=is_anywhere)
    return list(by_text.values())


def _modules() -> Iterator[ModuleType]:
    for package in (channels, routing, intake):
        for each in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if (
                not each.name.endswith("__main__") and ".migrations" not in each.name
            ):  # scripts, which run at once
                yield importlib.import_module(each.name)


def _compiled(modules: list[ModuleType], uses: "_Uses") -> Iterator[Asked]:
    for module in modules:
        for name, value in vars(module).items():
            for pattern in _within(value):
                yield Asked(f"{module.__name__}.{name}", pattern, uses.is_anywhere(module, name))


def _within(value: object) -> Iterator[re.Pattern[Any]]:
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, tuple | list | frozenset | set):
        for each in value:
            yield from _within(each)
    elif isinstance(value, dict):
        yield from _within(tuple(value.values()))


class _Uses:
    """What the sources ask of each name. A name that is handed on as a value may be asked anything."""

    def __init__(self) -> None:
        self.inline: list[Asked] = []
        self._ways: dict[tuple[str, str], set[str]] = {}

    def is_anywhere(self, module: ModuleType, name: str) -> bool:
        ways = self._ways.get((module.__name__, name), set()) | self._ways.get(("", name), set())
        return not ways <= _AT_ONE_PLACE

    def read(self, module: ModuleType) -> None:
        tree = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))
        asked: set[int] = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and node.attr in METHODS:
                asked.add(id(node.value))
                self._note(module, node.value, node.attr)
            elif isinstance(node, ast.Call):
                self._read_call(module, node)
            # Walked from the outside in: an attribute is met before its name.
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and id(node) not in asked:
                self._ways.setdefault((module.__name__, node.id), set()).add("search")

    def _note(self, module: ModuleType, base: ast.expr, way: str) -> None:
        if isinstance(base, ast.Name):
            self._ways.setdefault((module.__name__, base.id), set()).add(way)
        elif isinstance(base, ast.Attribute):  # another module's
            self._ways.setdefault(("", base.attr), set()).add(way)

    def _read_call(self, module: ModuleType, node: ast.Call) -> None:
        asks = node.func
        if not (
            isinstance(asks, ast.Attribute) and isinstance(asks.value, ast.Name) and asks.value.id == "re"
        ):
            return
        written = node.args[0] if node.args else None
        if (
            asks.attr in METHODS
            and isinstance(written, ast.Constant)
            and isinstance(written.value, str | bytes)
        ):
            name = f"{module.__name__}:{node.lineno}"
            self.inline.append(Asked(name, re.compile(written.value), asks.attr not in _AT_ONE_PLACE))
