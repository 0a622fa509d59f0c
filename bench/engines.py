"""The generated rules for other engines: plain closures, rule-engine, zen-engine and JSON logic, each as it is meant to be used.

Every one of them is given the text already folded, and what each word looks like in folded text.
"""

import importlib
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from bench.generated import GeneratedRule
from routing import folding

Context = dict[str, Any]
Matcher = Callable[[Context], list[str]]
_KEYS = {"sender.address": "address", "sender.domain": "domain"}
_ZEN_AT_ONCE = 250  # rules in one expression: handing the message over costs more than a rule


def matchers() -> dict[str, Callable[[list[GeneratedRule]], Matcher] | None]:
    """Name -> what makes a matcher of some rules; None = the package is not installed (requirements/bench.txt)."""
    found: dict[str, Callable[[list[GeneratedRule]], Matcher] | None] = {"closures": closures}
    for name, module, make in (
        ("rule-engine", "rule_engine", rule_engine),
        ("zen-engine", "zen", zen_engine),
        ("JSON logic", "json_logic", json_logic),
    ):
        found[name] = make if _is_installed(module) else None
    return found


def _is_installed(module: str) -> bool:
    try:
        importlib.import_module(module)
    except ImportError:
        return False
    return True


def _one_by_one(rules: list[GeneratedRule], tests: list[Callable[[Context], Any]]) -> Matcher:
    """Try every enrich rule, and route rules until one holds."""
    pairs = list(zip(rules, tests, strict=True))
    enriching = [(rule.id, test) for rule, test in pairs if rule.stage == "enrich"]
    routes = [(rule.id, test) for rule, test in pairs if rule.stage == "route"]

    def match(context: Context) -> list[str]:
        found = [identifier for identifier, test in enriching if test(context)]
        for identifier, test in routes:
            if test(context):
                found.append(identifier)
                break
        return found

    return match


def _literal(word: str) -> str:
    """A word, or a beginning of one, as it stands in folded text."""
    folded = folding.fold(word.removesuffix("*"))
    return folded[:-1] if word.endswith("*") else folded


# -- closures -------------------------------------------------------------------------------------------------------


def closures(rules: list[GeneratedRule]) -> Matcher:
    return _one_by_one(rules, [_closure(rule) for rule in rules])


def _closure(rule: GeneratedRule) -> Callable[[Context], bool]:
    tests = [_closed(*test) for test in rule.tests]
    if len(tests) == 1:
        return tests[0]
    first, second = tests
    return lambda context: first(context) and second(context)


def _closed(fact: str, op: str, values: tuple[str, ...]) -> Callable[[Context], bool]:
    key = _KEYS.get(fact, fact)
    if op == "regex":
        pattern = re.compile(values[0], re.IGNORECASE)
        return lambda context: pattern.search(context["raw"]) is not None
    if op == "one_of":
        wanted = frozenset(values)
        return lambda context: context[key] in wanted
    return _words(key, tuple(map(_literal, values)))


def _words(key: str, literals: tuple[str, ...]) -> Callable[[Context], bool]:
    def holds(context: Context) -> bool:
        text = context[key]
        for literal in literals:  # noqa: SIM110 - any() costs more than the search
            if literal in text:
                return True
        return False

    return holds


# -- rule-engine ----------------------------------------------------------------------------------------------------


def rule_engine(rules: list[GeneratedRule]) -> Matcher:
    engine: Any = importlib.import_module("rule_engine")
    resolving = engine.Context(resolver=engine.resolve_item)
    tests = [engine.Rule(_expression(rule, _RULE_ENGINE), context=resolving).matches for rule in rules]
    return _one_by_one(rules, tests)


def _expression(rule: GeneratedRule, forms: dict[str, Callable[[str, str], str]]) -> str:
    return " and ".join(f"({_any_of(*test, forms)})" for test in rule.tests)


def _any_of(fact: str, op: str, values: tuple[str, ...], forms: dict[str, Callable[[str, str], str]]) -> str:
    key = "raw" if op == "regex" else _KEYS.get(fact, fact)
    wanted = map(_literal, values) if op == "words" else values
    return " or ".join(forms[op](key, value) for value in wanted)


_RULE_ENGINE = {
    "one_of": lambda key, value: f"{key} == {json.dumps(value, ensure_ascii=False)}",
    "words": lambda key, value: f"{json.dumps(value, ensure_ascii=False)} in {key}",
    "regex": lambda key, value: f"{key} =~~ {json.dumps('(?i)' + value, ensure_ascii=False)}",
}

# -- zen-engine -----------------------------------------------------------------------------------------------------


def zen_engine(rules: list[GeneratedRule]) -> Matcher:
    zen: Any = importlib.import_module("zen")
    enriching = [rule for rule in rules if rule.stage == "enrich"]
    routes = [rule for rule in rules if rule.stage == "route"]
    groups = {
        stage: [
            ([rule.id for rule in some], zen.compile_expression(_zen_list(some)))
            for some in _in_groups(chosen)
        ]
        for stage, chosen in (("enrich", enriching), ("route", routes))
    }

    def match(context: Context) -> list[str]:
        found = [
            identifier
            for identifiers, compiled in groups["enrich"]
            for identifier, held in zip(identifiers, compiled.evaluate(context), strict=True)
            if held
        ]
        for identifiers, compiled in groups["route"]:
            held = compiled.evaluate(context)
            if any(held):
                found.append(identifiers[held.index(True)])
                break
        return found

    return match


def _in_groups(rules: list[GeneratedRule]) -> Iterator[list[GeneratedRule]]:
    for first in range(0, len(rules), _ZEN_AT_ONCE):
        yield rules[first : first + _ZEN_AT_ONCE]


def _zen_list(rules: list[GeneratedRule]) -> str:
    return f"[{', '.join(_expression(rule, _ZEN) for rule in rules)}]"


_ZEN = {
    "one_of": lambda key, value: f"{key} == '{value}'",
    "words": lambda key, value: f"contains({key}, '{value}')",
    "regex": lambda key, value: f"matches({key}, '(?i){value}')",
}

# -- JSON logic -----------------------------------------------------------------------------------------------------


def json_logic(rules: list[GeneratedRule]) -> Matcher:
    logic: Any = importlib.import_module("json_logic")
    operations = {**importlib.import_module("json_logic.builtins").BUILTINS, "matches": _matches}

    def test_of(rule: GeneratedRule) -> Callable[[Context], Any]:
        written = {"and": [{"or": [_logic(*test, value) for value in test[2]]} for test in rule.tests]}
        return lambda context: logic.jsonLogic(written, context, operations)

    return _one_by_one(rules, [test_of(rule) for rule in rules])


def _logic(fact: str, op: str, values: tuple[str, ...], value: str) -> dict[str, Any]:
    del values
    key = {"var": "raw" if op == "regex" else _KEYS.get(fact, fact)}
    if op == "words":
        return {"in": [_literal(value), key]}
    return {"==": [key, value]} if op == "one_of" else {"matches": [key, value]}


def _matches(data: Any, text: str, pattern: str) -> bool:
    """JSON logic has no patterns: Python's own are lent to it."""
    del data
    return re.search(pattern, text, re.IGNORECASE) is not None
