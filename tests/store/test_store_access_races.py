"""Signing in, links and the last admin, by eight at the same moment, on both engines: what is good once counts once."""

from functools import partial
from pathlib import Path
from typing import Any

import pyotp
import pytest

from intake import credentials, invitations, second_factor, signing_in, web_sessions
from intake.credentials import CredentialError
from intake.signing_in import Try
from intake.store.engine import Store, Tx
from intake.web_sessions import Times
from tests.domain.world import World
from tests.store.racing import WRITERS, at_once

TIMES = Times(idle_us=3_600_000_000, lifetime_us=36_000_000_000)


@pytest.fixture
def world(store: Store, tmp_path: Path, clock: Any) -> World:
    return World(store, tmp_path, clock)


def let_in(world: World, *names: str, role: Any = "agent") -> None:
    def add(tx: Tx) -> None:
        for name in names:
            credentials.add(tx, world.context, name, role, by="system")
            credentials.set_password(tx, name, "a hash", by="system")

    world.store.write_now(add)


def race(world: World, *calls: Any) -> list[Any]:
    """Run what writes, eight at a time; results, or the sentence of what was refused."""

    def write(fn: Any) -> Any:
        try:
            return world.store.write_now(fn)
        except CredentialError as error:
            return str(error)

    return at_once([partial(write, each) for each in calls])


def test_of_admins_who_put_each_other_out_one_stays(world: World) -> None:
    names = [f"boss{number}" for number in range(WRITERS)]
    let_in(world, *names, role="admin")
    found = race(
        world,
        *(lambda tx, name=name: credentials.disable(tx, name, by="system") for name in names[:4]),
        *(
            lambda tx, name=name: credentials.set_role(tx, world.context, name, "auditor", by="system")
            for name in names[4:]
        ),
    )
    assert sum(each is not None for each in found) == 1
    assert world.store.read_now(credentials.is_any_admin)


def test_a_link_makes_one_admin(world: World) -> None:
    token = invitations.new_token()
    world.store.write_now(
        lambda tx: invitations.make(
            tx, world.keys, token=token, name=invitations.FIRST, role="admin", hours=1, by="system"
        )
    )
    invitation = world.store.read_now(lambda tx: invitations.find(tx, world.keys, token))
    assert invitation is not None
    race(
        world,
        *(
            lambda tx, name=f"boss{number}": invitations.accept(
                tx, world.context, invitation, name=name, password_hash="a hash"
            )
            for number in range(WRITERS)
        ),
    )
    assert len(world.store.read_now(credentials.everybody)) == 1


@pytest.mark.parametrize("kind", ["app", "recovery"])
def test_a_code_is_good_once(world: World, kind: str) -> None:
    let_in(world, "ania")
    salt, codes = second_factor.new_salt(), second_factor.new_codes()
    world.store.write_now(lambda tx: second_factor.begin(tx, "ania", salt))
    app = pyotp.TOTP(second_factor.secret(world.keys, "ania", salt))
    first = app.at(int(world.clock().timestamp()))
    assert world.store.write_now(
        lambda tx: second_factor.confirm(tx, world.keys, "ania", first, codes=codes, by="system")
    )
    world.clock.forward(seconds=90)
    code = app.at(int(world.clock().timestamp())) if kind == "app" else codes[0]
    taken = race(world, *([lambda tx: second_factor.take(tx, world.keys, "ania", code)] * WRITERS))
    assert taken.count(True) == 1


def test_a_second_factor_that_is_confirmed_twice_at_once_has_ten_codes(world: World) -> None:
    let_in(world, "ania")
    salt = second_factor.new_salt()
    world.store.write_now(lambda tx: second_factor.begin(tx, "ania", salt))
    first = pyotp.TOTP(second_factor.secret(world.keys, "ania", salt)).at(int(world.clock().timestamp()))
    made = [second_factor.new_codes() for _ in range(WRITERS)]
    set_up = race(
        world,
        *(
            lambda tx, codes=codes: second_factor.confirm(
                tx, world.keys, "ania", first, codes=codes, by="system"
            )
            for codes in made
        ),
    )
    assert set_up.count(True) == 1
    assert world.store.read_now(lambda tx: second_factor.codes_left(tx, "ania")) == second_factor.CODES


def test_a_crowd_gets_no_more_tries_than_one(world: World) -> None:
    by = Try(client="198.51.100.1")
    tries = [lambda tx: signing_in._take_try(tx, world.keys, "ania", by, is_known=False)] * (3 * WRITERS)
    assert race(world, *tries).count(True) == signing_in.PER_PAIR


def test_a_session_is_ended_once_and_by_its_owner_alone(world: World) -> None:
    let_in(world, "ania", "ewa")
    session = world.store.write_now(
        lambda tx: web_sessions.start(
            tx, world.keys, token=web_sessions.new_token(), name="ania", stage="full", times=TIMES
        )
    )
    ended = race(
        world,
        *([lambda tx: web_sessions.end(tx, session.id, name="ewa", by="agent:ewa")] * 4),
        *([lambda tx: web_sessions.end(tx, session.id, name="ania", by="agent:ania")] * 4),
    )
    assert ended.count(True) == 1
    assert len(world.rows("events", "kind = 'session_ended' AND actor = 'agent:ania'")) == 1


def test_sessions_and_tries_that_are_long_over_are_forgotten(world: World) -> None:
    """Those that go on are listed and counted; a month after their end nothing is left of them."""
    let_in(world, "ania")

    def begin(tx: Tx) -> None:
        for _ in range(3):
            token = web_sessions.new_token()
            web_sessions.start(tx, world.keys, token=token, name="ania", stage="full", times=TIMES)
        signing_in._take_try(tx, world.keys, "ania", Try(client="198.51.100.1"), is_known=False)

    world.store.write_now(begin)
    listed = world.store.read_now(lambda tx: web_sessions.of_name(tx, "ania", "agent"))
    assert len(listed) == 3
    assert world.store.read_now(web_sessions.counts) == {"ania": 3}
    assert world.store.write_now(web_sessions.forget_old) == world.store.write_now(signing_in.forget) == 0
    world.clock.forward(seconds=40 * 86_400)
    assert world.store.read_now(web_sessions.counts) == {}
    assert world.store.write_now(web_sessions.forget_old) == 3
    assert world.store.write_now(signing_in.forget) == 3
    assert world.rows("web_sessions") == []
