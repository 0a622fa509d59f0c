"""What agents choose for themselves, on both engines."""

from intake import choices
from intake.choices import Choices
from intake.store.engine import Store


def test_each_choice_is_kept_by_itself(store: Store) -> None:
    """The later one counts, a command can have its own keys again, and nobody's choices are another's."""
    store.write_now(lambda tx: choices.give(tx, "ania", "list.next", "x"))
    store.write_now(lambda tx: choices.give(tx, "ania", "list.next", ""))
    store.write_now(lambda tx: choices.give(tx, "ania", "go.list", "g z"))
    store.write_now(lambda tx: choices.turn(tx, "ania", single=False))
    assert store.read_now(lambda tx: choices.of(tx, "ania")) == Choices(
        single=False, changed={"list.next": "", "go.list": "g z"}
    )
    store.write_now(lambda tx: choices.give(tx, "ania", "list.next", None))
    store.write_now(lambda tx: choices.turn(tx, "ania", single=True))
    assert store.read_now(lambda tx: choices.of(tx, "ania")) == Choices(changed={"go.list": "g z"})
    assert store.read_now(lambda tx: choices.of(tx, "ewa")) == Choices()
