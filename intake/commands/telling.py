"""How a decision, and what came after it, is told to people: a word in front of each line, as wide as the terminal."""

import shutil
import textwrap
from collections.abc import Iterable, Iterator
from typing import Any

from intake import terminal
from intake.commands.deciding import shortened
from intake.logs import escaped

Told = dict[str, Any]

HEAD = 10
_MARK = HEAD + 4  # where a condition's own text begins


def show(lines: Iterable[str]) -> None:
    """Print lines; those that are longer than the terminal go on below, further in."""
    width = max(40, shutil.get_terminal_size((100, 24)).columns)
    for line in lines:
        print("\n".join(_wrapped(escaped(line), width)))


def ticket_lines(told: Told) -> Iterator[str]:
    """All that `explaining.of_ticket` found, in the order in which it happened."""
    for number, each in enumerate((*told["earlier"], told)):
        when = terminal.local_time(each["decided_at"])
        again = " again" if number else ""
        yield _line("ticket", f"{told['ref']}, decided{again} {when}")
        yield from decision_lines(each, has_steps=False)
        yield ""
    for each in told["clocks"]:
        yield _line("clock", _clock(each))
    yield from _step_lines(told["steps"])
    for each in told["silences"]:
        yield _line("quiet", _silence(each))
    for each in told["assignments"]:
        yield _line("compared", f"{terminal.local_time(each['at'])} agents, for {each['by']}")
        yield from _candidate_lines(each["candidates"])
    for each in told["reactions"]:
        yield ""
        yield from _reaction_lines(each)


def decision_lines(value: Told, *, has_steps: bool = True) -> Iterator[str]:
    """A decision, with why not where that is known."""
    for name in ("rule", "team", "level", "agent", "priority", "sla"):
        yield _line(name, value.get(name) or "-")
    yield _line("tags", ", ".join(value["tags"]) or "-")
    for name, text in (value.get("fields") or {}).items():
        yield _line("field", f"{name}: {text}")
    yield _line("rulebook", _rulebook(value))
    for target, at in value["due"].items():
        yield _line("due", f"{target} {terminal.local_time(at)}")
    yield from _action_lines(value["actions"])
    yield from _candidate_lines(value.get("candidates") or ())
    if has_steps:
        yield from _step_lines(value.get("steps") or ())
    yield from _why_lines(value)


def _reaction_lines(each: Told) -> Iterator[str]:
    did = ", ".join(each.get("rules") or ()) or "no rule"
    yield _line("reacted", f"{terminal.local_time(each['at'])} {each['on']}: {did}")
    yield _line("rulebook", str(each.get("rulebook", ""))[:12] or "-")
    yield from _action_lines(each.get("actions") or ())
    yield from _why_lines(each)


def _why_lines(value: Told) -> Iterator[str]:
    yield from reason_lines("because", value["reasons"])
    for each in value.get("ignored") or ():
        why = each["by"] if " " in each["by"] else f"already set by {each['by']}"
        yield _line("ignored", f"{each['rule']} writes {each['field']} {_plain(each['value'])}: {why}")
    for rule, error in value.get("failed") or ():
        yield _line("failed", f"{rule}: {error}")
    yield from reason_lines("not", value.get("why_not") or ())
    if "unknown" in value:
        yield _line("not", f"unknown: {value['unknown']}")


def reason_lines(head: str, reasons: Iterable[Told]) -> Iterator[str]:
    """Each rule with its place, and each of its conditions with what it wanted and what there was."""
    for reason in reasons:
        place = f"{reason['file']}:{reason['line']}" if reason.get("file") else f"line {reason['line']}"
        outcome = f": {reason['outcome']}" if reason.get("outcome") else ""
        yield _line(head, f"{reason['rule']} ({place}){outcome}")
        for each in reason["conditions"]:
            mark = "+" if each["held"] else "-"
            wanted, actual = shortened(each["wanted"]), shortened(each["actual"])
            yield f"{'':<{HEAD}}  {mark} {each['field']} wanted {wanted}, is {actual}"


def _action_lines(actions: Iterable[Told]) -> Iterator[str]:
    for action in actions:
        text = f"{action['kind']} {_plain(action.get('value'))}".rstrip()
        yield _line("does", f"{text} (rule {action.get('rule', '')})")


def _candidate_lines(candidates: Iterable[Told]) -> Iterator[str]:
    for each in candidates:
        yield _line("agent", f"{each['agent']} ({each['level']}): {each['reason']}")


def _step_lines(steps: Iterable[Told]) -> Iterator[str]:
    for each in steps:
        does = ", ".join(each["does"]) or "nothing"
        yield _line("step", f"{each['step']} at {each['at']}, {does}: {_outcome(each)}")
        yield from _taken_lines(each)


def _taken_lines(step: Told) -> Iterator[str]:
    """Why a step was taken each time, whom its notices reached, who was passed over and why, who acknowledged them."""
    for each in step.get("why") or ():
        late = ", late" if each["is_late"] else ""
        yield _line("", f"{terminal.local_time(each['at'])}{late}: {each['why']}")
    for each in step.get("notices") or ():
        whom = ", ".join(each["agents"]) or each["target"]
        names = whom if each["reached"] else f"nobody ({each['reason']})"
        passed = "; ".join(f"{skipped['agent']}: {skipped['reason']}" for skipped in each["skipped"])
        not_told = f"; not told: {passed}" if passed and each["reached"] else ""
        yield _line(
            "", f"{terminal.local_time(each['at'])} notice to {each['target']} reached {names}{not_told}"
        )
    for each in step.get("acknowledged") or ():
        yield _line("", f"{terminal.local_time(each['at'])} acknowledged by {each['agent']} ({each['how']})")


def _outcome(step: Told) -> str:
    """When it fired, when it will, or why it does not."""
    parts = []
    if step.get("fired_at"):
        parts.append(f"fired {_times(step['fired_at'])}")
    elif step["outcome"] != "waits":
        parts.append(step["outcome"])
    if step.get("acknowledged_at"):
        parts.append(f"acknowledged {_times(step['acknowledged_at'])}")
    until = step.get("waits_until") or ([step["due_at"]] if step.get("due_at") else [])
    if until:
        parts.append(f"waits until {_times(until)}")
    return "; ".join(parts) or step["outcome"]


def _times(instants: Iterable[str]) -> str:
    return ", ".join(terminal.local_time(each) for each in instants)


def _clock(clock: Told) -> str:
    parts = [f"{clock['target']} {clock['state']}"]
    for name, word in (("due_at", "due"), ("met_at", "met"), ("breached_at", "breached")):
        if clock.get(name):
            parts.append(f"{word} {terminal.local_time(clock[name])}")
    return ", ".join(parts)


def _silence(each: Told) -> str:
    since = f"{each['rule']} counts from {each['since']} {terminal.local_time(each['since_at'])}"
    if each["state"] == "fired":
        return f"{since}: fired {terminal.local_time(each['fired_at'])}"
    if each["state"] == "pending":
        return f"{since}: due {terminal.local_time(each['due_at'])}"
    return f"{since}: not any more, its condition stopped holding or something happened"


def _rulebook(value: Told) -> str:
    winner = next((each for each in value["reasons"] if each["rule"] == value["rule"]), None)
    digest = str(value["rulebook"])[:12]
    if winner is None:
        return digest
    return (
        f"{digest}, {winner['file']}:{winner['line']}"
        if winner.get("file")
        else f"{digest}, line {winner['line']}"
    )


def _plain(value: Any) -> str:
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return ", ".join(value)
    return "" if value is None else value if isinstance(value, str) else shortened(value)


def _line(head: str, text: str) -> str:
    return f"{head:<{HEAD - 1}} {text}"


def _wrapped(line: str, width: int) -> list[str]:
    indent = " " * (_MARK if line.startswith(" ") else HEAD + 2)
    return textwrap.wrap(
        line, width, subsequent_indent=indent, drop_whitespace=True, break_on_hyphens=False
    ) or [""]
