"""A note can never reach a channel: whatever is done around it, no byte of it stands in anything that leaves."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from intake import assigning, desk, drafts, merging, replying, unseen, unwanted
from intake.desk import DeskError
from intake.drafts import Text
from intake.replying import Answer
from tests.domain.world import World

# No word of these is in any template, signature or header of ours.
SECRET = "kwyjibo-{}-xyzzy"
FIRST = "<first@customer.example>"


class Play:
    """One ticket, and agents who do things to it in any order."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.ticket = world.ticket(world.receive(message_id="first@customer.example"))
        self.other = world.ticket(world.receive("eva@customer.example", subject="Another"))
        self.notes = 0
        self.last: int | None = None

    def do(self, name: str) -> None:
        try:
            getattr(self, name)()
        except DeskError:
            return  # it cannot be done now; what matters is what left

    def write(self, act: Callable[[Any], Any]) -> Any:
        return self.world.store.write_now(act)

    def secret(self) -> str:
        self.notes += 1
        return SECRET.format(self.notes)

    def note(self) -> None:
        text = self.secret()
        self.write(lambda tx: replying.note(tx, self.world.context, self.ticket["ref"], text, agent="ania"))

    def bare_note(self) -> None:
        text = self.secret()
        self.write(lambda tx: desk.note(tx, self.world.context, self.ticket["ref"], agent="ewa", text=text))

    def note_draft(self) -> None:
        said = Text(fork="fork-of-a-note-01", kind="note", body=self.secret(), revision=self.notes)
        self.write(lambda tx: drafts.save(tx, self.world.context, self.ticket["ref"], said, agent="ania"))

    def reply(self) -> None:
        final = self._final()
        seen = self.world.store.read_now(lambda tx: unseen.mark(tx, final))
        answer = Answer(text="A public word.", seen=seen, hold_s=60 * (self.notes % 2))
        sent = self.write(
            lambda tx: replying.reply(tx, self.world.context, self.ticket["ref"], answer, agent="ania")
        )
        self.last = sent.outbox_id

    def take_back(self) -> None:
        if self.last is not None:
            self.write(lambda tx: replying.take_back(tx, self.world.context, self.last or 0, agent="ania"))

    def customer(self) -> None:
        self.world.receive(body="And now?", headers={"In-Reply-To": FIRST})

    def merge(self) -> None:
        self.write(
            lambda tx: merging.merge(
                tx, self.world.context, self.ticket["ref"], self.other["ref"], agent="ewa"
            )
        )

    def unmerge(self) -> None:
        self.write(lambda tx: merging.undo(tx, self.world.context, self.ticket["ref"], agent="ewa"))

    def hand_on(self) -> None:
        self.write(
            lambda tx: assigning.assign(tx, self.world.context, self.ticket["ref"], "ewa", agent="ania")
        )

    def solve(self) -> None:
        self.write(
            lambda tx: desk.set_status(tx, self.world.context, self.ticket["ref"], "solved", agent="ania")
        )

    def spam(self) -> None:
        self.write(lambda tx: unwanted.mark_spam(tx, self.world.context, self.ticket["ref"], agent="ania"))

    def wait(self) -> None:
        self.world.advance(hours=1)
        self.world.fire_due()

    def _final(self) -> int:
        (row,) = self.world.rows("tickets", "id = :id", id=self.ticket["id"])
        return int(row["merged_into"] or row["id"])


ACTS = sorted(
    name for name, each in vars(Play).items() if callable(each) and not name.startswith("_")
    and name not in ("do", "write", "secret")
)  # fmt: skip


def leaving(world: World) -> str:
    """Every byte of every row of the outbox that goes to a customer, whatever has become of it."""
    rows = world.rows("outbox")
    return "\n".join(row["payload"] for row in rows if "desk.example" not in row["recipient"])


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=st.lists(st.sampled_from(ACTS), min_size=3, max_size=14))
def test_no_byte_of_a_note_leaves(world: World, acts: list[str]) -> None:
    """Of notes, nor of what was to become one."""
    play = Play(world)
    play.do("note")
    for name in acts:
        play.do(name)
    play.do("reply")
    assert "kwyjibo" not in leaving(world)


def test_what_leaves_is_looked_at(world: World) -> None:
    """The test can fail: a word of an answer is found."""
    play = Play(world)
    play.world.reply(play.ticket, SECRET.format(0))
    assert "kwyjibo" in leaving(world)


@pytest.mark.parametrize("name", ACTS)
def test_each_act_can_be_done(world: World, name: str) -> None:
    """None of them is an error that hides the others."""
    play = Play(world)
    if name in ("take_back", "unmerge"):
        play.do({"take_back": "reply", "unmerge": "merge"}[name])
    getattr(play, name)() if name != "take_back" else play.do(name)
