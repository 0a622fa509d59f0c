"""Eight writers at once on what must become one ticket, on both engines."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from channels.contract import Identity, Message
from intake.store.engine import Store
from tests.domain.world import RULES, World
from tests.store.racing import WRITERS, at_once
from tests.store.test_store_domain_races import ROUNDS

CONVERSATIONS = """
conversations:
  sms: {join: open}
  by:
    - {id: monitoring, when: {sender.domain: monitor.example}, key: "{subject}", within: 24h}
"""


@pytest.mark.slow
def test_one_key_from_eight_senders_at_once_is_one_ticket(store: Store, tmp_path: Path, clock: Any) -> None:
    """Whoever is first with a key opens its ticket, and the others find it."""
    world = World(store, tmp_path, clock, rules=RULES + CONVERSATIONS)
    for number in range(ROUNDS):
        ids = [
            world.journal(f"host{each}@monitor.example", subject=f"Down {number}", body=str(each))
            for each in range(WRITERS)
        ]
        at_once([partial(world.settle, each) for each in ids])
    assert len(world.rows("tickets")) == ROUNDS
    assert len(world.rows("messages", "direction = 'in'")) == ROUNDS * WRITERS


@pytest.mark.slow
def test_lines_of_one_customer_at_once_are_one_ticket(store: Store, tmp_path: Path, clock: Any) -> None:
    """Eight texts of one number that nobody has an open ticket for make one, and all stand in it."""
    world = World(store, tmp_path, clock, rules=RULES + CONVERSATIONS)
    for number in range(ROUNDS):
        phone = f"+4860010020{number}"
        ids = [world.journal(phone, body=f"{number} {each}") for each in range(WRITERS)]
        lines = [Message(kind="sms", text=str(each), sender=Identity("phone", phone)) for each in ids]
        at_once([partial(world.settle, each, message=line) for each, line in zip(ids, lines, strict=True)])
    assert len(world.rows("tickets")) == ROUNDS
    assert len(world.rows("messages", "direction = 'in'")) == ROUNDS * WRITERS
