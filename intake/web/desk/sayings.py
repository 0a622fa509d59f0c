"""Events of a ticket as sentences for its page: who did what. What is seen anyway, or is a machine's, is shown on demand."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from intake import notice_text
from intake.commands import event_text

Details = Mapping[str, Any]

# The message beside it says as much, or only a machine asks.
QUIET = frozenset(
    [
        "agents_compared",
        "agent_replied",
        "answer_delivered",
        "answer_queued",
        "answer_read",
        "answer_sent",
        "delivery_failed",
        "copy_failed",
        "customer_replied",
        "note_added",
        "sla_armed",
        "sla_inherited",
        "sla_restored",
        "sla_given_back",
        "gathered",
        "notified",
        "timer_skipped",
        "participant_added",
        "paged",
        "page_call",
        "parsed_again",
        "draft_kept",
        "clock_paused",
        "clock_resumed",
        "sla_paused",
        "sla_resumed",
        "sla_met",
        "written_down",
        "reacted",
        "not_reacted",
        "sla_moved",
        "sla_rearmed",
        "picture_fitted",
        "file_fetched",
        "received_again",
    ]
)
_LOUD = {
    "sla_breached": "late",
    "reply_failed": "late",
    "notice_reached_nobody": "late",
    "promise_broken": "late",
    "rule_failed": "late",
    "timer_failed": "late",
    "call_out_failed": "late",
    "flood": "late",
    "escalated": "soon",
    "reopened": "soon",
}
_FIELDS = {
    "status": "the status",
    "priority": "the priority",
    "team": "the team",
    "agent": "the agent",
    "sla": "the policy",
}


class Saying(msgspec.Struct, frozen=True):
    """One event as it is shown. who: "" = nobody in particular; look: "late", "soon" or ""; rule: its id, "" = no rule's."""

    id: str
    at: str
    who: str
    text: str
    look: str = ""
    rule: str = ""
    is_quiet: bool = False


def of_event(event: Mapping[str, Any]) -> Saying:
    """Write one event of a timeline (intake.desk_ticket)."""
    kind, details = event["kind"], event["details"]
    by, _, name = event["actor"].partition(":")
    who = {"agent": name, "rule": f"Rule {name}", "customer": "The customer"}.get(by, "")
    return Saying(
        event["id"],
        event["at"],
        who,
        _text(kind, details),
        _LOUD.get(kind, ""),
        name if by == "rule" else "",
        is_quiet=kind in QUIET or (_is_of_call(kind, details) and kind not in _TEXTS),
    )


def _is_of_call(kind: str, details: Details) -> bool:
    """Whether it is a step of a call, as the provider tells it: the call says what matters of it."""
    return kind.startswith("call_") and "happened_at" in details


def _text(kind: str, details: Details) -> str:
    try:
        write = _TEXTS.get(kind)
        if write is not None:
            return write(details)
    except (KeyError, TypeError):
        pass  # written by another version
    words = kind.replace("_", " ")
    said = event_text.said(kind, details)
    if said:
        return f"{words}: {said}"
    if set(details) == {"field", "from", "to"}:
        return _change(details)
    reason = details.get("reason") or details.get("problem")
    return f"{words}: {reason}" if isinstance(reason, str) else words


def _change(details: Details) -> str:
    name = _FIELDS.get(details["field"], details["field"])
    before, after = _value(details["from"]), _value(details["to"])
    return f"changed {name} from {before} to {after}" if before else f"set {name} to {after or 'nothing'}"


def _value(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "" if value is None else str(value).replace("_", " ")


def _target(details: Details) -> str:
    return notice_text.TARGETS.get(details["target"], str(details["target"]))


def _tags(details: Details) -> str:
    before, after = set(details["from"]), set(details["to"])
    added, gone = sorted(after - before), sorted(before - after)
    parts = [f"added {', '.join(added)}"] if added else []
    parts += [f"took away {', '.join(gone)}"] if gone else []
    return "; ".join(parts) or "left the tags as they are"


_TEXTS: dict[str, Callable[[Details], str]] = {
    "created": lambda d: (
        f"opened the ticket; rule {d['rule']} placed it" if d.get("rule") else "opened the ticket"
    ),
    "assigned": lambda d: f"gave it to {d['to']}",
    "unassigned": lambda d: f"took it from {d['from']}" if d.get("from") else "left it with nobody",
    "team_changed": lambda d: f"passed it to {d['to']}" if d["to"] else "took it out of its team",
    "status_changed": lambda d: f"set it {_value(d['to'])}",
    "reopened": lambda d: f"opened it again, it was {_value(d['from'])}",
    "priority_changed": lambda d: f"made the priority {d['to']}",
    "tags_changed": _tags,
    "sla_breached": lambda d: f"The {_target(d)} is late",
    "merged": lambda d: f"merged it into {d['into']}",
    "took_in": lambda d: f"merged {d['ref']} into it",
    "agent_replied": lambda d: "answered",
    "customer_replied": lambda d: "wrote",
    "note_added": lambda d: "wrote a note",
    "marked_spam": lambda d: "called it spam",
    "promised": lambda d: "made a promise",
    "acknowledged": lambda d: "looks at it",
    "merge_undone": lambda d: f"took the merge with {d.get('from') or d['ref']} back",
    "reply_taken_back": lambda d: "took an answer back before it left",
    "link_suggested": lambda d: f"It may answer {d['to']}" if d["to"] else "It may answer another ticket",
    "link_accepted": lambda d: f"joined it to {d['to']}",
    "link_refused": lambda d: f"said that it stands apart from {d['to']}",
    "nobody_on_duty": lambda d: "Nobody was on duty",
    "promise_kept": lambda d: "kept the promise",
    "promise_broken": lambda d: "The promised moment has passed",
    "promise_withdrawn": lambda d: "took the promise back",
    "call_recorded": lambda d: (
        f"{'left a message of' if d.get('why') == 'voicemail' else 'is recorded,'} {d['duration_s']} s"
    ),
    "call_ended": lambda d: f"The call ended after {d['duration_s']} s",
    "call_asked": lambda d: f"had {d['to']} called",
    "call_out_failed": lambda d: "The call did not come about",
    "customer_named": lambda d: f"called the customer {d['name']}",
    "customer_field_changed": lambda d: f"set {d['field']} to {_value(d['to']) or 'nothing'}",
    "delivery_delayed": lambda d: "An answer has not arrived yet, and is tried again",
    "file_infected": lambda d: "A file is kept back: a virus was found in it",
    "forwarded": lambda d: f"It was forwarded: {d['address']} wrote it",
    "opt_out_suggested": lambda d: "They may not want our messages any more",
    "unverified_join": lambda d: "Nothing proves that the sender of a message is who wrote before",
    "routed_again": lambda d: f"had it routed again; rule {d['rule']} placed it",
    "replayed": lambda d: "had what brought it read again",
    "escalated": lambda d: f"Escalated at {d['at']}: {d['why']}",
}


def fold(timeline: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Put events that stand together into one item: `what` "events", its `sayings`, and whether any is `told` at once."""
    folded: list[dict[str, Any]] = []
    for each in timeline:
        if each["what"] != "event":
            folded.append(each)
            continue
        if not folded or folded[-1]["what"] != "events" or folded[-1]["at"][:10] != each["at"][:10]:
            folded.append(
                {"what": "events", "id": each["id"], "at": each["at"], "sayings": [], "told": False}
            )
        saying = of_event(each)
        folded[-1]["sayings"].append(saying)
        folded[-1]["told"] |= not saying.is_quiet
    return folded
