r"""How words and patterns are written: `[refund, "not working", "invoice*"]`, `{only: [thanks]}`, `'error\s+5\d\d'`.

What is wrong is appended to `names.problems`; the test is then None.
"""

import re
from typing import Any

import msgspec
import re2

from routing import folding, regex
from routing.predicates import Fact, Matches, OnlyWords, Test, Words
from routing.typed import said
from routing.value_text import Names, quotes_hint, refuse
from routing.yaml_text import Node

_MAX_MEMORY_BYTES = 8 << 20
_PATTERN = re.compile(r"\\[wdsbWDSB]|\.[*+]|\|")


def read_words(node: Node, fact: Fact, names: Names) -> Test | None:
    """`[refund, "not working", "invoice*"]` or `{only: [thanks]}`."""
    if fact.field.type != "prose":
        message = f"'{fact.name}' is one value and has no words; words belong to subject, body and text"
        refuse(node, message, names)
        return None
    if not isinstance(node.value, dict):
        phrases = _read_phrases(node, names)
        return Words(phrases) if phrases else None
    if set(node.value) != {"only"}:
        refuse(node, "words are a list, or {only: a list}", names)
        return None
    return read_only_words(node.value["only"], names)


def read_only_words(node: Node, names: Names) -> Test | None:
    """`[thanks, obrigado]`: nothing else was said."""
    before = len(names.problems)
    only = _read_phrases(node, names)
    if not only or len(names.problems) > before:
        return None
    try:
        return OnlyWords(_only_pattern(only))
    except re2.error:
        refuse(node, "these are too many words for 'only'", names)
        return None


def _read_phrases(node: Node, names: Names) -> tuple[str, ...]:
    """Folded literals: " word " is whole, " word" (written `word*`) a prefix."""
    found = [_read_phrase(each, names) for each in (node.value if node.is_list else (node,))]
    if node.is_list and not node.value:
        refuse(node, "the list of words is empty", names)
    return tuple(each for each in found if each)


def _read_phrase(node: Node, names: Names) -> str:
    if not isinstance(node.value, str):
        refuse(node, f"wanted a word, got {said(node)}", names, quotes_hint(node))
        return ""
    phrase, is_prefix = node.value.removesuffix("*"), node.value.endswith("*")
    folded = folding.fold(phrase)
    if _PATTERN.search(node.value):
        message = f"'{node.value}' looks like a pattern, and words stand for themselves"
        names.problems.append(node.problem("bad-value", message, 'write text.regex, or "invoice*"'))
    elif "*" in phrase:
        names.problems.append(node.problem("bad-value", f"'*' may only end a word, not in '{node.value}'"))
    elif folded.isspace():
        names.problems.append(node.problem("bad-value", f"'{node.value}' has no letter or digit"))
    else:
        return folded[:-1] if is_prefix else folded
    return ""


def _only_pattern(phrases: tuple[str, ...]) -> Any:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MAX_MEMORY_BYTES
    branches = "|".join(
        re2.escape(each.rstrip()) + ("" if each.endswith(" ") else r"[^ ]*") for each in phrases
    )
    return re2.compile(f"(?:{branches})(?:(?:{branches}))* ", options)


def read_regex(node: Node, fact: Fact, names: Names) -> Test | None:
    """A pattern; a problem points into it."""
    if fact.field.type != "prose" or not isinstance(node.value, str):
        refuse(
            node, f"'{fact.name}.regex' wants a pattern for subject, body or text, got {said(node)}", names
        )
        return None
    try:
        return Matches(regex.compile_pattern(node.value))
    except regex.BadPattern as error:
        quote = 0 if node.plain else 1
        at = msgspec.structs.replace(node, column=node.column + quote + error.offset)
        names.problems.append(at.problem("bad-regex", str(error)))
        return None
