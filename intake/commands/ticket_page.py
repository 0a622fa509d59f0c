"""One ticket as a page of text."""

import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from intake import call_text, terminal
from intake.commands import calls, event_text
from intake.logs import escaped

_ARROWS = {"in": "<-", "out": "->", "note": "--"}


def lines(ticket: Mapping[str, Any]) -> Iterator[str]:
    """Lay out what `tickets show` prints for people. What a customer wrote cannot steer the terminal."""
    yield terminal.coloured(f"{ticket['ref']}  {escaped(ticket['subject'])}", "bold", sys.stdout)
    yield from _head(ticket)
    for message in ticket["conversation"]:
        yield ""
        yield from _message(message)
    for call in ticket["calls"]:
        yield ""
        yield from calls.lines(call)
    yield ""
    yield "History"
    for event in ticket["events"]:
        yield f"  {terminal.local_time(event['at'])}  {event['kind']}  {escaped(event['actor'])}  {_details(event)}".rstrip()
    yield from _decision(ticket["decision"])


def _head(ticket: Mapping[str, Any]) -> Iterator[str]:
    customer = ticket["customer"] or {}
    yield f"  from      {escaped(' '.join(filter(None, (customer.get('name'), customer.get('address')))))}"
    for identity in customer.get("identities", ()):
        yield from _trouble(identity)
    for opt_out in customer.get("opt_outs", ()):
        yield f"  opted out {escaped(opt_out['sentence'])}"
    yield f"  status    {ticket['status']}, {ticket['priority']}"
    yield f"  with      {' / '.join(filter(None, (ticket['team'], ticket['agent']))) or 'nobody'}"
    if ticket["looked_at"]:
        look = ticket["looked_at"]
        yield f"  looked at by {escaped(look['by'])} since {terminal.local_time(look['since'])}"
    yield f"  rule      {ticket['rule']}"
    if ticket["tags"]:
        yield f"  tags      {escaped(', '.join(ticket['tags']))}"
    yield from _forwarded(ticket)
    for name, value in {**customer.get("fields", {}), **ticket["fields"]}.items():
        yield f"  field     {escaped(name)}: {escaped(value)}"
    for name, word in (("linked_to", "follows"), ("suggested_link", "answers?"), ("merged_into", "part of")):
        if ticket[name]:
            yield f"  {word:<9} {ticket[name]}"
    yield from _otherwise(ticket.get("other_ways", ()))
    yield from _promised(ticket["promise"])
    for target, at in ticket["due"].items():
        yield f"  due       {target} {terminal.local_time(at)}"


def _otherwise(ways: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Say how the customer can be reached when the last answer did not arrive."""
    for way in ways:
        until = f" until {terminal.local_time(way['until'])}" if way["until"] else ""
        yield f"  reach by  {way['medium']} {escaped(way['to'])} ({escaped(way['account'])}){until}"


def _promised(promise: Mapping[str, Any] | None) -> Iterator[str]:
    if promise is not None:
        who = escaped(promise["by"] or promise["made_by"])
        told = "" if promise["told"] else ", the customer was not told by us"
        yield f"  promised  {terminal.local_time(promise['due_at'])} by {who}: {promise['state']}{told}"


def _forwarded(ticket: Mapping[str, Any]) -> Iterator[str]:
    """Whose mail was passed on, as long as no agent has said that this is the customer."""
    told = {event["kind"]: event["details"] for event in ticket["events"]}
    if "forwarded" in told and "customer_named" not in told:
        author = " ".join(filter(None, (told["forwarded"].get("name"), told["forwarded"].get("address"))))
        yield f"  author    {escaped(author)}, forwarded; `intake tickets author {ticket['ref']}` makes them the customer"


def _trouble(identity: Mapping[str, Any]) -> Iterator[str]:
    """Say that mail does not reach an address, or that nobody wants it there."""
    value, broken = escaped(identity["value"]), identity.get("undeliverable")
    if broken:
        yield f"  address   {value} is not reached since {terminal.local_time(broken['since'])}: {escaped(broken['reason'])}"
    if identity.get("complained_at"):
        yield f"  address   {value} called our mail spam on {terminal.local_time(identity['complained_at'])}"


def _message(message: Mapping[str, Any]) -> Iterator[str]:
    head = f"{_ARROWS.get(message['direction'], '  ')} {terminal.local_time(message['at'])} {escaped(message['from'])}"
    yield terminal.coloured(head, "cyan", sys.stdout)
    is_call = message["channel"] == call_text.VOICE  # of which the visible text is only what the caller said
    for line in message["text" if is_call else "visible_text"].splitlines():
        yield f"   {escaped(line)}"
    for attachment in message["attachments"]:
        yield f"   [{escaped(attachment['name'])}, {_size(attachment)}]"
    delivery = message.get("delivery")
    if delivery is not None:
        why = f": {escaped(delivery['reason'])}" if delivery["reason"] else ""
        yield f"   {delivery['state']}{why}"


def _size(attachment: Mapping[str, Any]) -> str:
    if attachment.get("problem"):
        return f"not here: {escaped(attachment['problem'])}"
    return f"{attachment['size']} bytes" if attachment.get("sha256") else "being fetched"


def _details(event: Mapping[str, Any]) -> str:
    said = event_text.said(event["kind"], event["details"])
    if said is not None:
        return escaped(said)
    details = {name: value for name, value in event["details"].items() if name != "undo"}
    if set(details) == {"field", "from", "to"}:
        return f"{details['field']}: {escaped(str(details['from']))} -> {escaped(str(details['to']))}"
    return escaped(msgspec.json.encode(details).decode()) if details else ""


def _decision(decision: Mapping[str, Any] | None) -> Iterator[str]:
    if decision is None:
        return
    yield ""
    yield f"Decision: {decision.get('rule')} of rulebook {str(decision.get('rulebook'))[:12]}"
    for reason in decision.get("reasons", ()):
        held = ", ".join(
            f"{each['field']} {each['wanted']}" for each in reason.get("conditions", ()) if each.get("held")
        )
        yield f"  {reason['rule']} (line {reason['line']}) {escaped(held)}".rstrip()
