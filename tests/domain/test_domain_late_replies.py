"""The notice of a delay: true in every word, once for each delay, and to nobody who is not waiting."""

import functools
from pathlib import Path
from typing import Any

import msgspec
import pytest

from intake.replies import Replies
from intake.sections import Limits
from tests.domain.world import RULES, World
from tests.rows import every_row

FOLDER = Path(__file__).parents[2] / "config" / "replies"
TEMPLATES = {
    (path.name.split(".")[0], path.name.split(".")[1]): path.read_text() for path in FOLDER.glob("*.md")
}
LANGUAGES = sorted(language for name, language in TEMPLATES if name == "delayed")
LADDER = """
  nudge:
    - {at: first_response breach, level: [l2, lead], reply: delayed}
    - {at: first_response +30m, reply: delayed, once: 1m}
    - {at: resolution breach, reply: delayed}
"""
HEAD, TAIL = RULES[: RULES.index("\n  nudge:")], RULES[RULES.index("enrich:") :]
JAN = "jan@customer.example"
PROVEN = {"Authentication-Results": "mx.example.com; dmarc=pass header.from=customer.example"}
LATE = "you do not have an answer yet"


@functools.cache
def shipped() -> Replies:
    return Replies(TEMPLATES)


def late(world: World, ladder: str = LADDER, **mail: Any) -> dict[str, Any]:
    """A ticket of two hours whose first answer has just become late."""
    use(world, ladder)
    ticket = world.ticket(world.receive(**{"headers": PROVEN, **mail}))
    after(world, hours=2)
    return ticket


def use(world: World, ladder: str) -> None:
    world.use_rules(HEAD + ladder + TAIL)
    world.context = msgspec.structs.replace(world.context, replies=shipped())


def after(world: World, **by: float) -> None:
    world.advance(**by)
    while world.fire_due():
        pass


def told(world: World, to: str = JAN) -> list[str]:
    return [each.text for each in world.sent(to) if LATE in each.text]


def withheld(world: World) -> list[str]:
    rows = world.rows("events", "kind = 'reply_withheld' ORDER BY id")
    return [msgspec.json.decode(row["details"])["reason"] for row in rows]


def test_customer_is_told_that_we_are_late(world: World) -> None:
    """Marked as automatic, on the conversation, without a time that nobody has promised."""
    ticket = late(world)
    (text,) = told(world)
    assert ticket["ref"] in text
    assert "as soon as we can" in text
    mail = world.sent(JAN)[-1]
    assert (mail.automatic, mail.envelope_sender) == ("auto-replied", "")


def test_senior_is_named_when_one_has_it(world: World) -> None:
    """The step has moved it to the second level, and ewa of that level has it."""
    late(world)
    assert "A senior colleague has taken it over." in told(world)[0]


@pytest.mark.parametrize(
    "ladder",
    [
        "\n  nudge:\n    - {at: first_response breach, reply: delayed}\n",
        "\n  nudge:\n    - {at: first_response breach, level: l2, reply: delayed}\n",
    ],
)
def test_senior_is_not_named_when_none_has_it(world: World, ladder: str) -> None:
    """No step asked for one, or there is nobody of that level: ewa is away."""
    from intake.store import schema

    world.store.write_now(lambda tx: tx.insert(schema.agent_state, name="ewa", is_away=1))
    late(world, ladder)
    assert "senior" not in told(world)[0]


def test_promise_is_named_because_it_is_one(world: World) -> None:
    """The one instant to come that somebody stands for."""
    late(world, "\n  nudge:\n    - {at: first_response breach, promise: 3h, reply: delayed}\n")
    assert "You can expect our answer by:" in told(world)[0]


def test_one_delay_is_told_once(world: World) -> None:
    """A second step of the same target, half an hour later, says nothing new."""
    late(world)
    after(world, minutes=30)
    assert len(told(world)) == 1
    assert withheld(world) == ["the customer was told of this delay before"]


def test_repetition_is_for_colleagues(world: World) -> None:
    """Only the first notice of a step goes to the customer."""
    late(
        world,
        "\n  nudge:\n    - {at: first_response breach, notify: lead, reply: delayed, once: 1m,"
        " repeat: {every: 90m, times: 3}}\n",
    )
    after(world, hours=4)
    assert len(told(world)) == 1


def test_next_delay_is_another(world: World) -> None:
    """Each time that the customer waits for a next answer is a run of its own."""
    use(
        world,
        "\n  nudge:\n    - {at: next_response breach, reply: delayed}\n",
    )
    rules = (HEAD + "\n  nudge:\n    - {at: next_response breach, reply: delayed}\n" + TAIL).replace(
        "resolution: 8h", "next_response: 2h, resolution: 80h"
    )
    world.use_rules(rules)
    world.context = msgspec.structs.replace(world.context, replies=shipped())
    ticket = world.ticket(world.receive(headers=PROVEN, message_id="first@x"))
    for _ in range(2):
        world.reply(ticket, f"Try this {world.clock.at}")
        world.advance(hours=2)
        world.receive(headers={**PROVEN, "In-Reply-To": "<first@x>"}, body=f"No {world.clock.at}")
        after(world, hours=2)
    assert len(told(world)) == 2


def test_customer_who_was_answered_is_not_told(world: World) -> None:
    """The solution is late, but their last words have an answer."""
    ticket = late(world, "\n  nudge:\n    - {at: resolution breach, reply: delayed}\n")
    world.reply(ticket)
    after(world, hours=8)
    assert told(world) == []
    assert withheld(world) == ["the customer has had an answer since they wrote"]


def test_robot_is_not_told(world: World) -> None:
    """A machine wrote last: machines are never answered."""
    late(world, headers={**PROVEN, "Auto-Submitted": "auto-replied"})
    assert told(world) == []


def test_receipt_within_the_hour_is_enough_unless_the_step_says_otherwise(world: World) -> None:
    """An urgent ticket is late after half an hour; `once:` of the step counts this template alone."""
    urgent = TAIL.replace("priority: normal, sla", "priority: urgent, sla")
    for once, count in (("", 0), (", once: 1d", 1)):
        world.use_rules(
            HEAD + f"\n  nudge:\n    - {{at: first_response breach, reply: delayed{once}}}\n" + urgent
        )
        world.context = msgspec.structs.replace(world.context, replies=shipped())
        world.receive(headers=PROVEN, body=f"help {count}")
        after(world, minutes=30)
        assert len(told(world)) == count
        world.advance(hours=2)


def test_flood_of_forged_senders_hears_nothing_more(world: World) -> None:
    """Of one domain whose mail proves nothing, one an hour; the rest is kept for an operator."""
    world.context = msgspec.structs.replace(world.context, limits=Limits(auto_replies_per_address_hour=1))
    use(world, LADDER)
    for number in range(4):
        world.receive(f"c{number}@victim.example", body=f"mail {number}")
    after(world, hours=2)
    sent = [each for each in world.sent() if LATE in each.text]
    kept = world.rows("outbox", "state = 'withheld' AND action = 'withheld:delayed'")
    assert (len(sent), len(kept)) == (1, 3)


def test_rule_may_say_it_too(world: World) -> None:
    """Where a rule waits for the breach, the same holds."""
    react = "react:\n  - {id: late, on: sla_breached, then: {reply: delayed}}\n"
    world.use_rules(HEAD + "\n  nudge:\n    - {at: resolution breach, notify: lead}\n" + TAIL + react)
    world.context = msgspec.structs.replace(world.context, replies=shipped())
    ticket = world.ticket(world.receive(headers=PROVEN))
    after(world, hours=2)
    assert len(told(world)) == 1
    world.reply(ticket)
    after(world, hours=8)
    assert len(told(world)) == 1


@every_row("language", LANGUAGES)
@every_row(("expected", "next_open", "senior"), [("X1", "", "lead"), ("", "X2", ""), ("", "", "")])
def test_every_language_says_it(language: str, expected: str, next_open: str, senior: str) -> None:
    """With what is known and without it, and never an empty place."""
    values: dict[str, Any] = {
        "ticket": {"ref": "K7M4Q2P"},
        "customer": {"name": "Jan"},
        "expected": expected,
        "next_open": next_open,
        "senior": senior,
    }
    found = shipped().render("delayed", language, values)
    assert found is not None
    assert found.language == language
    assert "K7M4Q2P" in (found.subject or "")
    lines = [line for line in found.text.splitlines() if line.strip()]
    assert len(lines) == (6 if senior else 5)
    assert (expected or next_open) in found.text
    assert not any(line.rstrip(" .").endswith(":") for line in lines[1:])


def test_it_is_there_in_every_language_of_the_receipt() -> None:
    assert sorted(language for name, language in TEMPLATES if name == "received") == LANGUAGES
