"""Texts that make a regular expression try everything, made of the expression itself; and how long it takes with them.

For each repeat: what has to stand before it, what it repeats, many times, and then what nothing goes on with. The times
are only compared with each other, the shortest of a few.
"""

import importlib
import re
import signal
import time
from collections import deque
from collections.abc import Iterator
from types import FrameType
from typing import Any

from tests.email.patterns import Asked

_parser: Any = importlib.import_module("re._parser")
_compiler: Any = importlib.import_module("re._compiler")
_constants: Any = importlib.import_module("re._constants")

FIRST_CHARS, LONG_CHARS = 2_000, 4_000
SUSPECT_S = 0.002  # for the first; a linear pattern takes a tenth of it
GUARD_S = 0.2
SHORT_S = 0.1  # for a pattern that is asked only of short texts
MAX_RATIO = 3.2  # of twice the text: 2 is linear, 4 is quadratic
FLOOR_S = 0.02  # for the longer one: below it nothing runs away
_TRIES = 3
MANY = 200  # a repeat of at most as many is no matter
# One of each kind of character that patterns tell apart.
_SAMPLES = " a0.-\n\t\r1A_=?<>()[]\"',;:@/\\*#|&%+~\x01\xa0éж日\u200c"
_MAX_SAMPLES = 8
_TAILS = ("\0", "", "\n\0")
_REPEATS = frozenset(
    {_constants.MAX_REPEAT, _constants.MIN_REPEAT, getattr(_constants, "POSSESSIVE_REPEAT", None)}
)


class _TooLong(Exception):
    pass


def runs_away(asked: Asked, *, max_chars: int | None = None) -> str:
    """The attack that succeeds, "" = none. max_chars: of what the pattern is asked of, None = anything."""
    for prefix, unit, tail in sorted(set(_attacks(asked))):
        attack = _Attack(asked, prefix, unit, tail)
        if max_chars is not None:
            if all(attack.took_s(max_chars) > SHORT_S for _ in range(_TRIES)):
                return str(attack)
        elif attack.took_s(FIRST_CHARS) > SUSPECT_S and attack.grows():
            return str(attack)
    return ""


class _Attack:
    def __init__(self, asked: Asked, prefix: str, unit: str, tail: str) -> None:
        self._asked, self._prefix, self._unit, self._tail = asked, prefix, unit, tail

    def __str__(self) -> str:
        return f"{self._prefix!r} + {self._unit!r} * n + {self._tail!r}"

    def grows(self) -> bool:
        """Whether twice the text takes much more than twice the time."""
        once = twice = float("inf")
        for _ in range(_TRIES):
            once, twice = min(once, self.took_s(LONG_CHARS)), min(twice, self.took_s(2 * LONG_CHARS))
            if twice < max(FLOOR_S, MAX_RATIO * once):
                return False
            if once == float("inf"):
                return True
        return True

    def took_s(self, chars: int) -> float:
        written = self._prefix + self._unit * (chars // len(self._unit)) + self._tail
        pattern = self._asked.pattern
        text = written.encode("utf-8") if isinstance(pattern.pattern, bytes) else written
        ask = _everywhere if self._asked.is_anywhere else _at_the_beginning
        before = signal.signal(signal.SIGALRM, _give_up)
        began = time.perf_counter()
        signal.setitimer(signal.ITIMER_REAL, GUARD_S)
        try:
            ask(pattern, text)
        except _TooLong:
            return float("inf")
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
        return time.perf_counter() - began


def _everywhere(pattern: re.Pattern[Any], text: Any) -> None:
    deque(pattern.finditer(text), maxlen=0)


def _at_the_beginning(pattern: re.Pattern[Any], text: Any) -> None:
    pattern.match(text)
    pattern.fullmatch(text)


def _give_up(number: int, frame: FrameType | None) -> None:
    raise _TooLong


def _attacks(asked: Asked) -> Iterator[tuple[str, str, str]]:
    tree = _parser.parse(asked.pattern.pattern, asked.pattern.flags)
    for prefix, unit in _pumps(tree, tree.state, ""):
        for tail in _TAILS:
            yield prefix, unit, tail
        if prefix and asked.is_anywhere:
            yield "", prefix + unit, "\0"
            yield "", prefix, "\0"


def _pumps(sequence: Any, state: Any, prefix: str) -> Iterator[tuple[str, str]]:
    """What stands before a repeat, and what it repeats."""
    for node in sequence:
        operation, argument = node
        if operation in _REPEATS:
            _, most, inner = argument
            if most >= MANY:
                for unit in _units(inner, state):
                    yield prefix, unit
            yield from _pumps(inner, state, prefix)
        else:
            for branch in _branches(operation, argument):
                yield from _pumps(branch, state, prefix)
        prefix += _example([node], state)


def _branches(operation: Any, argument: Any) -> list[Any]:
    if operation is _constants.SUBPATTERN:
        return [argument[3]]
    if operation is _constants.BRANCH:
        return list(argument[1])
    if operation in (_constants.ASSERT, _constants.ASSERT_NOT):
        return [argument[1]]
    if operation is getattr(_constants, "ATOMIC_GROUP", None):
        return [argument]
    return []


def _units(inner: Any, state: Any) -> Iterator[str]:
    samples = _samples(inner, state)
    if samples:
        yield from samples
    elif example := _example(inner, state):
        yield example


def _samples(inner: Any, state: Any) -> list[str]:
    """Characters that one repeated class takes; [] for what is longer than a character."""
    if len(inner) != 1 or inner[0][0] not in (
        _constants.IN,
        _constants.ANY,
        _constants.LITERAL,
        _constants.NOT_LITERAL,
        _constants.CATEGORY,
    ):
        return []
    return list(_taken(inner[0], state))[:_MAX_SAMPLES]


def _taken(node: Any, state: Any) -> Iterator[str]:
    operation, argument = node
    if operation is _constants.LITERAL:
        yield chr(argument)
        return
    one = _compiler.compile(_parser.SubPattern(state, [node]), state.flags)
    yield from (each for each in _SAMPLES if one.match(each))
    if operation is _constants.IN:
        yield from (chr(each) for kind, each in argument if kind is _constants.LITERAL)


def _example(sequence: Any, state: Any) -> str:
    """A short text that the sequence takes; what only looks around is passed over."""
    written = ""
    for node in sequence:
        operation, argument = node
        if operation in _REPEATS:
            least, most, inner = argument
            written += _example(inner, state) * max(least, min(1, most) if _is_class(inner) else least)
        elif operation is _constants.SUBPATTERN:
            written += _example(argument[3], state)
        elif operation is _constants.BRANCH:
            written += _example(argument[1][0], state)
        elif operation is getattr(_constants, "ATOMIC_GROUP", None):
            written += _example(argument, state)
        elif operation in (
            _constants.IN,
            _constants.ANY,
            _constants.LITERAL,
            _constants.NOT_LITERAL,
            _constants.CATEGORY,
        ):
            written += next(_taken(node, state), "")
    return written


def _is_class(inner: Any) -> bool:
    return len(inner) == 1 and inner[0][0] is _constants.IN
