"""What is wrong with a text that an admin wrote: where, what and what to do; all of it at once."""

import difflib
from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

Severity = Literal["error", "warning", "hint"]

MOST_ERRORS = 1_000
_MANY_OPTIONS = 500
_LONGEST_WORD = 64


class Problem(msgspec.Struct, frozen=True):
    """One thing wrong at one place. line, column: from 1; columns count characters.

    code: a short stable word ("unknown-team"). message: one clause without a full stop.
    hint: what to do, "" = nothing to add.
    """

    file: str
    line: int
    column: int
    severity: Severity
    code: str
    message: str
    hint: str = ""

    def __str__(self) -> str:
        tail = f" — {self.hint}" if self.hint else ""
        return f"{self.file}:{self.line}:{self.column}: {self.severity}[{self.code}] {self.message}{tail}"


class ConfigError(Exception):
    """A text was refused. problems: every one that was found, in the order of the files' lines."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class Problems(list[Problem]):
    """What is found on the way, with at most MOST_ERRORS errors: a text of any shape is refused in bounded time."""

    def __init__(self) -> None:
        super().__init__()
        self._errors = 0

    def append(self, problem: Problem) -> None:
        """Raises: ConfigError with everything found so far, when this is one error too many."""
        if problem.severity == "error":
            self._errors += 1
        if self._errors > MOST_ERRORS:
            message = f"there are more than {MOST_ERRORS} errors; the others are not looked for"
            at = (problem.file, problem.line, problem.column)
            raise ConfigError([*self, Problem(*at, "error", "too-many", message, "mend these first")])
        super().append(problem)

    def extend(self, problems: Iterable[Problem]) -> None:
        """Raises: as append."""
        for problem in problems:
            self.append(problem)


def render(problem: Problem, text: str) -> str:
    """The problem with its source line and a caret under the column. text: of the whole file."""
    lines = text.splitlines()
    if not 1 <= problem.line <= len(lines):
        return str(problem)
    number = f"{problem.line:>5}"
    source = lines[problem.line - 1].replace("\t", " ")
    start = max(0, problem.column - 80)
    window = source[start : start + 120]
    caret = " " * (problem.column - 1 - start) + "^"
    return f"{problem}\n{number} | {window}\n{' ' * len(number)} | {caret}"


def render_all(problems: Iterable[Problem], texts: Mapping[str, str]) -> str:
    """Every problem rendered, one after the other. texts: file name -> its text."""
    return "\n".join(render(problem, texts.get(problem.file, "")) for problem in problems)


def in_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Sorted by file, line and column, each said once."""
    unique = dict.fromkeys(problems)
    return tuple(sorted(unique, key=lambda each: (each.file, each.line, each.column, each.code)))


def has_error(problems: Iterable[Problem]) -> bool:
    """Whether what was read can't be used; warnings and hints keep it."""
    return any(problem.severity == "error" for problem in problems)


def did_you_mean(word: str, options: Iterable[str]) -> str:
    """A hint naming the nearest option; with none near, the few options there are; "" when there are none."""
    word = word[:_LONGEST_WORD].lower()
    known = sorted(options)
    few = len(known) <= 12
    if (
        len(known) > _MANY_OPTIONS
    ):  # looking at each closely would take seconds for the errors of one rulebook
        known = [each for each in known if _is_like(each, word)]
    near = difflib.get_close_matches(word, known[:_MANY_OPTIONS], n=1, cutoff=0.6)
    if near:
        return f"did you mean '{near[0]}'?"
    return "known: " + ", ".join(known) if known and few else ""


def _is_like(option: str, word: str) -> bool:
    """Whether an option has about the length of a word, and its first or last letter."""
    return abs(len(option) - len(word)) <= 2 and (option[:1] == word[:1] or option[-1:] == word[-1:])
