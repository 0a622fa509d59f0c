"""An agent's mail is settled alike on both engines: proof, answer, what is held, what is sent later."""

from contextlib import closing
from pathlib import Path

from intake.store import opening
from tests.domain.agents import ANIA, JAN, PASS, answer, notes, to_customer, told
from tests.domain.world import World
from tests.store.clock import Clock


def test_agents_mail_on_each_engine(url: str, tmp_path: Path, clock: Clock) -> None:
    """Every statement of it runs, and says the same."""
    with closing(opening.open_store(url, tmp_path, clock=clock)) as store:
        world = World(store, tmp_path, clock)
        ticket = world.ticket(world.receive(JAN, message_id="first@customer.example"))
        world.advance(minutes=1)
        world.reply(ticket, "It is being repaired.", agent="ewa")
        world.advance(minutes=1)
        answer(world, "#priority high\nHave you tried water?")
        assert (notes(world, ticket), len(told(world))) == (["Have you tried water?"], 1)
        answer(world, "#send")
        answer(world, "#ack\n#assign ewa")
        world.receive(
            ANIA,
            body="By the way.",
            headers={"In-Reply-To": "<first@customer.example>", **PASS},
            message_id="b@desk",
        )
        assert to_customer(world)[:2] == ["It is being repaired.", "Have you tried water?"]
        assert "agent_unproven" in world.events(
            world.ticket(world.receive(ANIA, body="Me again", message_id="c@desk"))
        )
        assert world.row("tickets", ticket["id"])["agent"] == "ewa"
