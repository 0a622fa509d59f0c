"""Words of consent whose webhook was lost count as of when they were said, not of when they were brought."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from channels.twilio import recovered
from tests.phone.consent_desk import ConsentDesk
from tests.phone.texting import form


@pytest.fixture
def desk(open_as: Callable[..., Any]) -> ConsentDesk:
    desk: ConsentDesk = open_as(ConsentDesk)
    return desk


def brought(desk: ConsentDesk, word: str, **ago: float) -> dict[str, Any]:
    """The reconciler brings a word that was said so long ago."""
    said_at = desk.clock() - timedelta(**ago)
    return desk.take(form(word), by=recovered.BY, sent_at=said_at.isoformat())


def test_a_start_that_was_said_before_a_stop_lifts_nothing(desk: ConsentDesk) -> None:
    desk.say("STOP")
    desk.advance(hours=1)
    brought(desk, "START", hours=2)
    assert desk.holding() is not None


def test_a_yes_that_was_said_before_a_stop_lifts_nothing(desk: ConsentDesk) -> None:
    desk.say("My printer is on fire")
    desk.say("STOP")
    desk.advance(hours=1)
    brought(desk, "YES", hours=2)
    assert desk.holding() is not None


def test_a_start_that_was_said_after_a_stop_lifts_it_late(desk: ConsentDesk) -> None:
    desk.say("STOP")
    desk.advance(hours=3)
    brought(desk, "START", hours=1)
    assert desk.holding() is None


def test_a_stop_that_is_brought_late_holds_since_it_was_said(desk: ConsentDesk) -> None:
    brought(desk, "STOP", hours=2)
    (row,) = desk.rows("opt_outs")
    assert row["at"] == desk.store.now_us() - 2 * 3_600 * 1_000_000
    assert desk.holding() is not None


def test_a_stop_that_is_brought_late_is_not_confirmed(desk: ConsentDesk) -> None:
    """One confirmation, within five minutes of the word: not of the moment when we hear of it."""
    brought(desk, "wypisz", minutes=30)
    assert desk.holding() is not None
    assert desk.texts_to() == []
