"""How conditions on time are written: `{outside: office}`, `{weekday: mon-fri, hour: {at_least: 18}}`, `{date: 2026-12-24}`.

Also `{within: 7d, at_least: 3}`, which counts instants.
"""

import msgspec

from routing.calendar_text import weekdays_from
from routing.conditions import ALWAYS, Condition, Group, Leaf
from routing.durations import seconds_from
from routing.predicates import Count, Day, Fact, Hour, Open, Range, Test, Weekday
from routing.problems import did_you_mean
from routing.typed import said
from routing.value_text import Names, leaf, read_compared, read_range, refuse
from routing.view import Field
from routing.yaml_text import Node

TIME_FACTS = ("time.inside", "time.outside", "time.weekday", "time.hour", "time.date")
_TIME = Field("text", lambda view: ())
_HOUR = Fact("time.hour", Field("number", lambda view: ()))
_DATE = Fact("time.date", Field("instant", lambda view: ()))


def read_time(node: Node, names: Names) -> Condition:
    """`{inside: X}`, `{outside: X}`, `{weekday: mon-fri, hour: {at_least: 18}, in: X}`."""
    if not isinstance(node.value, dict) or not node.value:
        names.problems.append(
            node.problem("wrong-type", f"'time' wants {{inside: CALENDAR}} or the like, got {said(node)}")
        )
        return ALWAYS
    zone = names.home_calendar
    if "in" in node.value and _check_calendar(node.value["in"], names):
        zone = node.value["in"].value
    members = [
        read_time_fact(f"time.{key}", child, node.keys[key], names, zone=zone)
        for key, child in node.value.items()
        if key != "in"
    ]
    if not members:
        refuse(
            node, "'time' says a calendar, but not what of it", names, "like {weekday: mon-fri, in: CALENDAR}"
        )
        return ALWAYS
    return members[0] if len(members) == 1 else Group("all", tuple(members))


def read_time_fact(name: str, node: Node, key_node: Node, names: Names, *, zone: str | None) -> Condition:
    """The value of `time.inside`, `time.weekday` and so on. zone: the calendar whose wall clock counts, None = UTC."""
    if name in ("time.inside", "time.outside"):
        if not _check_calendar(node, names):
            return ALWAYS
        return Leaf(Fact(name, _TIME), node.value, Open(node.value, name == "time.inside"), name)
    if name == "time.weekday":
        return leaf(Fact(name, _TIME), node, _read_weekdays(node, zone, names))
    if name in ("time.hour", "time.date"):
        return leaf(
            Fact(name, _TIME), node, _read_moments(node, zone, _HOUR if name == "time.hour" else _DATE, names)
        )
    hint = did_you_mean(
        name.removeprefix("time."), [*(each.removeprefix("time.") for each in TIME_FACTS), "in"]
    )
    names.problems.append(key_node.problem("unknown-fact", f"no fact '{name}'", hint))
    return ALWAYS


def _check_calendar(node: Node, names: Names) -> bool:
    if node.value in names.calendars:
        return True
    hint = did_you_mean(str(node.value), names.calendars)
    names.problems.append(node.problem("unknown-calendar", f"no calendar '{node.text or node.value}'", hint))
    return False


def _read_weekdays(node: Node, zone: str | None, names: Names) -> Test | None:
    days: set[int] = set()
    if node.is_list and not node.value:
        refuse(node, "'time.weekday' has an empty list", names, "no day can match it")
        return None
    for each in node.value if node.is_list else (node,):
        found = weekdays_from(str(each.value))
        if found is None:
            hint = "write mon, tue, wed, thu, fri, sat, sun or a range like mon-fri"
            names.problems.append(each.problem("bad-value", f"no weekday {said(each)}", hint))
            return None
        days.update(found)
    return Weekday(frozenset(days), zone)


def _read_moments(node: Node, zone: str | None, fact: Fact, names: Names) -> Test | None:
    """`9`, `[9, 10]`, `">=18"`, `{at_least: 18}`, `{between: [9, 17]}`: hours 0 to 23, 17 lasts until 17:59; or dates."""
    nodes = node.value if node.is_list else (node,)
    ranges = tuple(found for each in nodes if (found := _read_moment(each, fact, names)))
    if not nodes:
        refuse(node, f"'{fact.name}' has an empty list", names)
    if not ranges or len(ranges) < len(nodes):
        return None
    return Hour(ranges, zone) if fact is _HOUR else Day(ranges, zone)


def _read_moment(node: Node, fact: Fact, names: Names) -> Range | None:
    if isinstance(node.value, dict):
        found: Test | None = read_bounds(node, fact, names)
    else:
        found = read_compared((node,), fact, names) if node.value not in ("none", "any") else None
        if node.value in ("none", "any"):
            refuse(node, f"'{fact.name}' always has a value", names)
    if not isinstance(found, Range):
        return None
    if fact is _HOUR and any(each is not None and not 0 <= each <= 23 for each in (found.low, found.high)):
        refuse(node, "an hour is 0 to 23", names)
        return None
    return found


def read_bounds(node: Node, fact: Fact, names: Names) -> Range | None:
    """`{at_least: 18}`, `{at_most: 9}`, both, or `{between: [9, 17]}`."""
    bounds = dict(node.value)
    if set(bounds) == {"between"} and bounds["between"].is_list and len(bounds["between"].value) == 2:
        low, high = bounds["between"].value
    elif bounds and set(bounds) <= {"at_least", "at_most"}:
        low, high = bounds.get("at_least"), bounds.get("at_most")
    else:
        refuse(node, f"'{fact.name}' wants a value, at_least, at_most or between: [low, high]", names)
        return None
    return read_range(low, high, fact, names)


def read_count(node: Node, fact: Fact, names: Names) -> Condition:
    """`{within: 7d, at_least: 3}`, `{at_least: 3}`, `3`, `">=3"`: how many there are, this one counted."""
    number = Fact(fact.name, Field("number", lambda view: ()))
    within_s: int | None = None
    if isinstance(node.value, dict):
        rest = {key: child for key, child in node.value.items() if key != "within"}
        if "within" in node.value:
            within_s = seconds_from(str(node.value["within"].value))
            if not within_s:
                each = node.value["within"]
                hint = "write it like 12h or 7d"
                names.problems.append(each.problem("bad-length", f"no length of time {said(each)}", hint))
                return ALWAYS
        if not rest:
            refuse(node, f"'{fact.name}' wants to know how many", names, "like {within: 7d, at_least: 3}")
            return ALWAYS
        found: Test | None = read_bounds(msgspec.structs.replace(node, value=rest), number, names)
    elif node.is_list or node.value in ("none", "any"):
        refuse(node, f"'{fact.name}' wants a number, at_least, at_most or between", names)
        return ALWAYS
    else:
        found = read_compared((node,), number, names)
    return leaf(fact, node, Count(found, within_s) if isinstance(found, Range) else None)
