"""How large conditions become when the named ones in them are written out.

A few lines in which each name stands for two of the line before would be millions of conditions: such a text is refused
before anything is read.
"""

from collections.abc import Iterable, Iterator, Mapping

from routing.problems import ConfigError
from routing.yaml_text import Node

MOST_OF_ONE = 5_000
MOST_OF_ALL = 1_000_000
_GROUPS = ("all", "any", "none", "not")


def check(named: Mapping[str, Node], conditions: Iterable[Node]) -> None:
    """Raises: ConfigError when one condition, or all together, are too many. named: the section `conditions`."""
    sizes = _Sizes(named)
    total = 0
    for node in (*named.values(), *conditions):
        size = sizes.of(node)
        total += size
        if size > MOST_OF_ONE:
            message = f"with its named conditions written out this is more than {MOST_OF_ONE} conditions"
            raise ConfigError([node.problem("too-big", message, "put values into a list instead")])
        if total > MOST_OF_ALL:
            message = f"up to here the rules have more than {MOST_OF_ALL} conditions"
            raise ConfigError([node.problem("too-big", message, "put values into lists instead")])


def conditions_in(nodes: Iterable[Node]) -> Iterator[Node]:
    """The `when` of every rule of some sections, as far as they are rules."""
    for node in nodes:
        for rule in node.value if node.is_list else ():
            if rule.is_mapping and "when" in rule.value:
                yield rule.value["when"]


class _Sizes:
    """Counts each named condition once."""

    def __init__(self, named: Mapping[str, Node]) -> None:
        self._named = named
        self._known: dict[str, int] = {}

    def of(self, node: Node) -> int:
        if isinstance(node.value, str):
            return self._of_name(node.value)
        if node.is_list:
            return sum(self.of(each) for each in node.value)
        if isinstance(node.value, dict):
            return sum(self.of(child) if key in _GROUPS else 1 for key, child in node.value.items())
        return 1

    def _of_name(self, name: str) -> int:
        """A circle counts nothing, nor does what is not there: the reader tells both."""
        if name in self._named and name not in self._known:
            self._count(name)
        return self._known.get(name, 0)

    def _count(self, name: str) -> None:
        """Names that it needs are counted before it, on a list of our own: a chain may be longer than the stack."""
        self._known[name] = 0
        waiting = [(name, _names_in(self._named[name]))]
        while waiting:
            current, needed = waiting[-1]
            missing = next((each for each in needed if each in self._named and each not in self._known), None)
            if missing is None:
                waiting.pop()
                self._known[current] = self.of(self._named[current])
            else:
                self._known[missing] = 0
                waiting.append((missing, _names_in(self._named[missing])))


def _names_in(node: Node) -> Iterator[str]:
    if isinstance(node.value, str):
        yield node.value
    elif node.is_list:
        for each in node.value:
            yield from _names_in(each)
    elif isinstance(node.value, dict):
        for key, child in node.value.items():
            if key in _GROUPS:
                yield from _names_in(child)
