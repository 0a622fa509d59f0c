"""How conditions on time are written: `{outside: office}`, `{weekday: mon-fri, hour: {at_least: 18}}`."""

from routing.calendar_text import weekdays_from
from routing.conditions import ALWAYS, Condition, Fact, Group, Hour, Leaf, Open, Range, Test, Weekday
from routing.problems import did_you_mean
from routing.typed import said
from routing.value_text import Names, leaf, read_number, read_range, refuse
from routing.view import Field
from routing.yaml_text import Node

_TIME = Field("text", lambda facts: ())
_HOUR = Fact("time.hour", Field("number", lambda facts: ()))


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
        _read_time_key(key, child, node.keys[key], zone, names)
        for key, child in node.value.items()
        if key != "in"
    ]
    return members[0] if len(members) == 1 else Group("all", tuple(members))


def _read_time_key(key: str, node: Node, key_node: Node, zone: str | None, names: Names) -> Condition:
    if key in ("inside", "outside"):
        if not _check_calendar(node, names):
            return ALWAYS
        return Leaf(Fact(f"time.{key}", _TIME), node.value, Open(node.value, key == "inside"), f"time.{key}")
    if key in ("weekday", "hour"):
        return clock_leaf(f"time.{key}", node, zone, names)
    if key == "date":
        names.problems.append(key_node.problem("not-supported", "the fact 'time.date' is not supported yet"))
    else:
        hint = did_you_mean(key, ("inside", "outside", "weekday", "hour", "in"))
        names.problems.append(key_node.problem("unknown-fact", f"no fact 'time.{key}'", hint))
    return ALWAYS


def _check_calendar(node: Node, names: Names) -> bool:
    if node.value in names.calendars:
        return True
    hint = did_you_mean(str(node.value), names.calendars)
    names.problems.append(node.problem("unknown-calendar", f"no calendar '{node.text or node.value}'", hint))
    return False


def clock_leaf(name: str, node: Node, zone: str | None, names: Names) -> Condition:
    test = _read_weekdays(node, zone, names) if name == "time.weekday" else _read_hours(node, zone, names)
    return leaf(Fact(name, _TIME), node, test)


def _read_weekdays(node: Node, zone: str | None, names: Names) -> Test | None:
    days: set[int] = set()
    for each in node.value if node.is_list else (node,):
        found = weekdays_from(str(each.value))
        if found is None:
            hint = "write mon, tue, wed, thu, fri, sat, sun or a range like mon-fri"
            names.problems.append(each.problem("bad-value", f"no weekday {said(each)}", hint))
            return None
        days.update(found)
    return Weekday(frozenset(days), zone)


def _read_hours(node: Node, zone: str | None, names: Names) -> Test | None:
    """`9`, `[9, 10]`, `">=18"`, `{at_least: 18}`, `{between: [9, 17]}`: hours 0 to 23; 17 lasts until 17:59."""
    if isinstance(node.value, dict):
        tests: list[Test | None] = [_read_hour_range(node, names)]
    else:
        tests = [read_number((each,), _HOUR, names) for each in (node.value if node.is_list else (node,))]
    ranges = tuple(test for test in tests if isinstance(test, Range))
    if not tests:
        refuse(node, "'time.hour' has an empty list", names)
    return Hour(ranges, zone) if ranges and len(ranges) == len(tests) else None


def _read_hour_range(node: Node, names: Names) -> Range | None:
    bounds = dict(node.value)
    if set(bounds) == {"between"} and bounds["between"].is_list and len(bounds["between"].value) == 2:
        low, high = bounds["between"].value
    elif bounds and set(bounds) <= {"at_least", "at_most"}:
        low, high = bounds.get("at_least"), bounds.get("at_most")
    else:
        refuse(node, "'time.hour' wants an hour, at_least, at_most or between: [low, high]", names)
        return None
    found = read_range(low, high, _HOUR, names)
    return found if isinstance(found, Range) else None
