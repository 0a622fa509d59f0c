"""What somebody who wrote broken YAML probably meant: the usual slips, and the parser's words with a way out."""

import re

import yaml

from routing.problems import Problem

_SLIP = re.compile(r"(?:[:\-,\[{]\s+|[\[{])([>*@`%&!\t])")
_LINES_BEFORE = 3  # in which the cause of an error without a beginning is looked for
_HASH = re.compile(r"[:,\[{]\s*(#)[^\s#]")

_GRAMMAR = {
    "mapping values are not allowed in this context": "a text with ': ' in it must be in quotes; keys of one mapping begin in one column",
    "did not find expected key": "keys of one mapping begin in one column; a text in quotes ends with them",
    "did not find expected '-' indicator": "begin it in the column of the lines that it belongs to",
    "did not find expected ',' or ']'": "the list that begins in line {line} is not closed, or a comma is missing",
    "did not find expected ',' or '}'": "the mapping that begins in line {line} is not closed, or a comma is missing",
    "found unexpected end of stream": "the quote in line {line} is not closed",
    "found unknown escape character": "between double quotes a backslash is special: take single quotes",
}
"""What to do about what the parser says. line: where what it was in begins."""

# The usual slips, by the character that YAML itself gives a meaning to.
SLIPS = {
    ">": 'a value that starts with > must be in quotes: ">=2"',
    "*": 'a value that starts with * must be in quotes: "*.acme.com"',
    "@": 'a value that starts with @ must be in quotes: "@name"',
    "`": "a value that starts with ` must be in quotes",
    "%": "a value that starts with % must be in quotes",
    "&": "a value that starts with & must be in quotes",
    "!": "a value that starts with ! must be in quotes",
    "#": 'a value that starts with # must be in quotes: "#x"',
    "+": 'a value that starts with + must be in quotes: "+48600000001"',
    "\t": "indent with spaces, not tabs",
}


def problem(error: yaml.YAMLError, *, text: str, file: str) -> Problem:
    """What the parser says of the text, with what to do about it where that is known."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    if mark is None:
        position = int(getattr(error, "position", 0))
        line, column = text.count("\n", 0, position) + 1, 1
    else:
        line, column = mark.line + 1, mark.column + 1
    said = getattr(error, "problem", None) or getattr(error, "reason", None) or "this is no YAML"
    opened = getattr(error, "context_mark", None)
    begun = min(opened.line + 1 if opened else line, line - _LINES_BEFORE)
    hint = _hint(text, line=line, column=column, begun_line=max(1, begun))
    if not hint:
        hint = _GRAMMAR.get(str(said), "").format(line=opened.line + 1 if opened else line)
    return Problem(file, line, column, "error", "syntax", str(said), hint)


def _hint(text: str, *, line: int, column: int, begun_line: int) -> str:
    """Names the usual slip when the character at the place, or a value of its line, starts with one.

    begun_line: where the list or mapping began that is not closed: a value with # made a comment of its end.
    """
    lines = text.splitlines()
    source = lines[line - 1] if line <= len(lines) else ""
    here = source[column - 1 : column]
    if here in SLIPS:
        return SLIPS[here]
    value = _SLIP.search(source)
    if value is None and 1 < line <= len(lines):
        value = re.search(r":\s+([>])=?\s*[0-9]", lines[line - 2])
    if value is None:
        value = next((found for each in lines[begun_line - 1 : line] if (found := _HASH.search(each))), None)
    return SLIPS[value.group(1)] if value else ""
