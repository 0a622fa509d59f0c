"""How much one visitor may say, and that nobody else pays for it."""

from datetime import datetime
from typing import Any

import pytest

from channels.webchat import limits
from channels.webchat.limits import Limits, Options, Refused, network_of


@pytest.fixture
def counted(clock: Any) -> Limits:
    return Limits(Options(), clock)


def said(counted: Limits, session: str, address: str, **given: Any) -> bool:
    try:
        counted.take_line(session, address, **given)
    except Refused:
        return False
    return True


def test_of_a_thousand_lines_a_minute_of_one_address_twenty_are_taken(counted: Limits, clock: Any) -> None:
    """Each with a token of its own; somebody else says all that they want to."""
    taken = others = 0
    for number in range(1_000):
        taken += said(counted, f"token-{number}", "192.0.2.1")
        if number % 60 == 0:
            others += said(counted, "neighbour", "192.0.2.2")
        clock.advance(0.06)
    assert (taken, others) == (20, 17)


def test_it_is_twenty_in_any_minute(counted: Limits, clock: Any) -> None:
    """No bucket that fills again meanwhile: nineteen at the end of one minute and none more at the start of the next."""
    moments: list[datetime] = []
    for _ in range(600):
        if said(counted, "one", "192.0.2.1"):
            moments.append(clock())
        clock.advance(0.5)
    most = max(sum(0 <= (each - first).total_seconds() < 60 for each in moments) for first in moments)
    assert (most, len(moments)) == (20, 100)


def test_who_waits_as_long_as_they_are_told_is_let_in(counted: Limits, clock: Any) -> None:
    """And asking meanwhile makes it no longer."""
    for _ in range(20):
        counted.take_line("one", "192.0.2.1")
        clock.advance(1)
    with pytest.raises(Refused) as refused:
        counted.take_line("one", "192.0.2.1")
    assert refused.value.retry_after_s in (40, 41)
    for _ in range(100):
        said(counted, "one", "192.0.2.1")
    clock.advance(refused.value.retry_after_s)
    assert said(counted, "one", "192.0.2.1")


def test_customers_behind_one_address_count_for_themselves_when_they_are_proven(counted: Limits) -> None:
    assert all(said(counted, f"customer-{number}", "192.0.2.1", is_proven=True) for number in range(500))
    assert not all(said(counted, "customer-1", "192.0.2.1", is_proven=True) for _ in range(30))


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::ffff", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("unix", "unix"),
    ],
)
def test_an_address_is_what_one_subscriber_has(address: str, network: str) -> None:
    assert network_of(address) == network


def test_files_and_sockets_have_limits_of_their_own(counted: Limits) -> None:
    for _ in range(30):
        counted.take_upload("one", "192.0.2.1")
    with pytest.raises(Refused):
        counted.take_upload("one", "192.0.2.1")
    assert said(counted, "one", "192.0.2.1")
    assert all(counted.enter("192.0.2.9") for _ in range(200))
    assert (counted.enter("192.0.2.9"), counted.enter("192.0.2.8")) == (False, True)
    counted.leave("192.0.2.9")
    assert counted.enter("192.0.2.9")


def test_what_is_remembered_is_bounded(counted: Limits, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "NAMES_MAX", 100)
    for number in range(1_000):
        said(counted, f"token-{number}", f"192.0.{number // 250}.{number % 250}")
    assert len(counted._counts._seen) <= 100
