"""Messages that say the same thing are gathered in one ticket."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.domain.world import World

Make = Callable[[str], World]

FAIL = {"Authentication-Results": "mx.example.com; dmarc=fail header.from=monitor.example"}
AUTOMATIC = {"Auto-Submitted": "auto-generated"}
ALERTS = """
conversations:
  by:
    - {id: hosts, when: {sender.domain: monitor.example}, key: "{header.X-Host}", within: 24h}
    - {id: monitoring, when: {sender.domain: monitor.example}, key: "{subject}", within: 24h}
react:
  - {id: ok, on: customer_replied, when: {sender.domain: monitor.example, text.words: all clear}, then: {close: true}}
"""


@pytest.fixture
def world(make: Make) -> World:
    return make(ALERTS)


def alert(world: World, subject: str = "Disk full on db1", **mail: Any) -> dict[str, Any]:
    mail.setdefault("body", "look")
    return world.receive(mail.pop("sender", "alerts@monitor.example"), subject=subject, **mail)


def test_same_key_joins_one_ticket(world: World) -> None:
    """Case and accents of the key do not matter, nor does who of them writes."""
    first = alert(world)
    again = alert(world, "DISK FULL on db1", sender="other@monitor.example", body="2")
    assert again["ticket_id"] == first["ticket_id"]
    assert "gathered" in world.events(world.ticket(first))


def test_other_key_is_another_ticket(world: World) -> None:
    """Another host is another trouble."""
    assert alert(world)["ticket_id"] != alert(world, "Disk full on db2")["ticket_id"]


def test_first_gathering_that_gives_a_key_counts(world: World) -> None:
    """A header that is there decides before the subject does."""
    first = alert(world, "A", headers={"X-Host": "db1"})
    assert alert(world, "B", headers={"X-Host": "DB1"})["ticket_id"] == first["ticket_id"]


@pytest.mark.parametrize(("hours", "joins"), [(23, True), (25, False)])
def test_time_counts_from_the_last_message(world: World, hours: int, *, joins: bool) -> None:
    """Within 24 h of the last one it joins, however old the ticket."""
    first = alert(world)
    world.advance(hours=20)
    alert(world, body="2")
    world.advance(hours=hours)
    assert (alert(world, body="3")["ticket_id"] == first["ticket_id"]) is joins


def test_whoever_does_not_hold_when_is_not_gathered(world: World) -> None:
    """The same subject of somebody else is a ticket of its own."""
    first = alert(world)
    assert alert(world, sender="eve@elsewhere.example")["ticket_id"] != first["ticket_id"]


def test_forged_alert_is_gathered_nowhere(world: World) -> None:
    """DMARC fail is a new ticket, whatever key it gives."""
    first = alert(world)
    assert alert(world, headers=FAIL, body="2")["ticket_id"] != first["ticket_id"]


def test_automatic_alert_is_gathered_and_its_all_clear_closes(world: World) -> None:
    """Rules hear of gathered automatic mail, which by itself moves nothing."""
    first = alert(world, headers=AUTOMATIC)
    again = alert(world, headers=AUTOMATIC, body="All clear.")
    assert again["ticket_id"] == first["ticket_id"]
    ticket = world.ticket(first)
    assert (ticket["status"], ticket["messages"]) == ("closed", 1)


@pytest.mark.parametrize("status", ["solved", "closed"])
def test_automatic_alert_after_the_solution_is_a_new_ticket(world: World, status: str) -> None:
    """Automatic mail reopens nothing, so a trouble that comes back is not lost in what is done."""
    first = alert(world, headers=AUTOMATIC)
    world.set_status(world.ticket(first), status)
    again = alert(world, headers=AUTOMATIC, body="2")
    assert again["ticket_id"] != first["ticket_id"]
    assert alert(world, headers=AUTOMATIC, body="3")["ticket_id"] == again["ticket_id"]


def test_key_is_kept_as_a_hash(world: World) -> None:
    """What gathers is not readable in the ticket, so that erasure need not look there."""
    ticket = world.ticket(alert(world))
    assert "disk" not in ticket["gathered_by"].lower()
