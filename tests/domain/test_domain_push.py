"""Notices in browsers: who is told, of what, by which request, and when a browser is forgotten."""

import asyncio
import base64
import json
import os
from collections.abc import Awaitable, Callable
from typing import Any

import http_ece  # type: ignore[import-untyped]
import msgspec
import pytest
from aiohttp import web
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from channels import outside
from intake import assigning, push, pushing
from intake.push import NoBrowser, Push
from intake.pushing import Pusher
from intake.sections import Limits
from tests.domain.world import RULES, World

Answer = Callable[[web.Request], Awaitable[web.Response]]


class Maker:
    """A browser and its maker's server, on loopback. answer: HTTP statuses to give, the last one again and again."""

    def __init__(self, *statuses: int) -> None:
        self.key, self.auth = ec.generate_private_key(ec.SECP256R1()), os.urandom(16)
        self.statuses, self.heard = list(statuses or (201,)), list[tuple[dict[str, str], bytes]]()
        self.base = ""

    @property
    def subscription(self) -> dict[str, Any]:
        point = self.key.public_key().public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        )
        keys = {"p256dh": _written(point), "auth": _written(self.auth)}
        return {"endpoint": "https://push.example/send/1", "keys": keys}

    async def serve(self) -> web.AppRunner:
        app = web.Application()
        app.router.add_post("/send/{id}", self._take)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        self.base = f"http://{host}:{port}"
        return runner

    async def _take(self, request: web.Request) -> web.Response:
        self.heard.append((dict(request.headers), await request.read()))
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        return web.Response(status=status)

    def read(self, body: bytes) -> dict[str, Any]:
        """Open what was sealed to this browser."""
        told: dict[str, Any] = json.loads(
            http_ece.decrypt(body, private_key=self.key, auth_secret=self.auth, version="aes128gcm")
        )
        return told


def _written(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")


@pytest.fixture
def ticket(world: World) -> dict[str, Any]:
    return world.ticket(world.receive())


def _subscribe(world: World, maker: Maker, agent: str = "ewa", **changed: Any) -> None:
    subscription = maker.subscription | changed
    world.store.write_now(lambda tx: push.subscribe(tx, agent, subscription, session="", name="Firefox"))


def _assign(world: World, ticket: dict[str, Any], to: str, by: str) -> list[Push]:
    """What is told once the ticket has been given."""
    told: list[Push] = []
    world.store.listen(lambda signals: told.extend(signals.get(push.SIGNAL, ())))
    world.store.write_now(lambda tx: assigning.assign(tx, world.context, ticket["ref"], to, agent=by))
    return told


def _send(world: World, maker: Maker, told: Push) -> int:
    """Send it, and find the maker on loopback."""

    async def run() -> int:
        runner = await maker.serve()
        world.store.write_now(
            lambda tx: tx.update(_table(), {"agent": told.agent}, endpoint=f"{maker.base}/send/1")
        )
        pusher = Pusher(
            world.store,
            lambda: world.context,
            fetcher=outside.Outside(trusted=maker.base),
            back_off_s=(0, 0),
        )
        try:
            return await pusher.send(told)
        finally:
            await pusher._outside.close()
            await runner.cleanup()

    return asyncio.run(run())


def _table() -> Any:
    from intake.store import schema

    return schema.push_browsers


def test_agent_is_told_in_their_browser_what_their_mail_tells(world: World, ticket: dict[str, Any]) -> None:
    """Sealed to that browser: which ticket and why, and nothing that the customer wrote."""
    maker = Maker()
    _subscribe(world, maker)
    (told,) = _assign(world, ticket, "ewa", "ania")
    assert _send(world, maker, told) == 1
    ((headers, body),) = maker.heard
    opened = maker.read(body)
    assert (opened["path"], ticket["ref"] in opened["title"]) == (f"/tickets/{ticket['ref']}", True)
    assert "printer" not in json.dumps(opened)
    assert b"ania" not in body
    assert (headers["Content-Encoding"], headers["TTL"]) == ("aes128gcm", "3600")
    assert headers["Authorization"].startswith("vapid t=")


def test_nobody_is_told_of_what_they_did(world: World, ticket: dict[str, Any]) -> None:
    """Who takes a ticket knows it; who has lost it is told."""
    _subscribe(world, Maker())
    assert _assign(world, ticket, "ewa", "ewa") == []


def test_nobody_is_told_who_has_not_asked(world: World, ticket: dict[str, Any]) -> None:
    assert _assign(world, ticket, "ewa", "ania") == []


def test_it_is_silent_outside_hours(make_whole: Callable[[str], World]) -> None:
    """The mail waits there; the phone does not ring at night."""
    world = make_whole(
        """
version: 1
calendars: {office: {timezone: UTC, open: {mon-fri: "09:00-17:00"}}}
agents: {ania: {email: ania@desk.example}, ewa: {email: ewa@desk.example, hours: office}}
teams: {support: {levels: {l1: [ania], l2: [ewa]}}}
default: {team: support, priority: normal}
"""
    )
    _subscribe(world, Maker())
    day = world.ticket(world.receive())
    assert len(_assign(world, day, "ewa", "ania")) == 1
    night = world.ticket(world.receive("eva@customer.example"))
    world.advance(hours=12)
    assert _assign(world, night, "ewa", "ania") == []


def test_what_stands_in_a_digest_rings_nowhere(world: World) -> None:
    """Of a storm the notices that are mails of their own are told, and no more."""
    asks = "{at: first_response 50%, notify: assignee"
    world.use_rules(RULES.replace(asks, f"{asks}, ack_within: 10m"))
    world.context = msgspec.structs.replace(world.context, limits=Limits(notices_per_minute=2))
    for number in range(5):
        world.receive(f"c{number}@customer.example", subject=f"Printer {number}")
    _subscribe(world, Maker(), "ania")
    told: list[Push] = []
    world.store.listen(lambda signals: told.extend(signals.get(push.SIGNAL, ())))
    world.advance(hours=1, minutes=37)
    world.fire_due()
    assert [each.title.split(" ", 1)[1] for each in told] == ["escalated", "escalated"]


@pytest.mark.parametrize(
    ("statuses", "heard", "left"), [((410,), 1, 0), ((404,), 1, 0), ((403,), 1, 1), ((503,), 3, 1)]
)
def test_browser_that_is_gone_is_forgotten(
    world: World, ticket: dict[str, Any], statuses: tuple[int, ...], heard: int, left: int
) -> None:
    """A maker that is away is asked three times; what it refuses is asked once."""
    maker = Maker(*statuses)
    _subscribe(world, maker)
    (told,) = _assign(world, ticket, "ewa", "ania")
    assert _send(world, maker, told) == 0
    assert (len(maker.heard), len(world.rows("push_browsers"))) == (heard, left)


def test_one_that_recovers_is_told(world: World, ticket: dict[str, Any]) -> None:
    maker = Maker(500, 201)
    _subscribe(world, maker)
    (told,) = _assign(world, ticket, "ewa", "ania")
    assert _send(world, maker, told) == 1


def test_browser_whose_sign_in_has_ended_is_told_nothing(world: World, ticket: dict[str, Any]) -> None:
    """It is somebody else's desk by then, perhaps."""
    maker = Maker()
    subscription = maker.subscription
    world.store.write_now(
        lambda tx: push.subscribe(tx, "ewa", subscription, session="of a session that is over", name="")
    )
    (told,) = _assign(world, ticket, "ewa", "ania")
    assert (_send(world, maker, told), maker.heard) == (0, [])


@pytest.mark.parametrize(
    "subscription",
    [
        {},
        {"endpoint": "https://push.example/1"},
        {"endpoint": "http://push.example/1", "keys": {"p256dh": "a", "auth": "b"}},
        {"endpoint": "https://push.example/" + "x" * 2000, "keys": {"p256dh": "a", "auth": "b"}},
        {"endpoint": "https://push.example/1", "keys": {"p256dh": 7, "auth": "b"}},
        {"endpoint": "https://push.example/1", "keys": {"p256dh": "a", "auth": "b"}},
        {"endpoint": "https://push.example/1", "keys": Maker().subscription["keys"] | {"auth": "AAAA"}},
        {"endpoint": "https://push.example/1", "keys": Maker().subscription["keys"] | {"p256dh": "ż" * 87}},
    ],
)
def test_what_no_browser_hands_over_is_refused(world: World, subscription: dict[str, Any]) -> None:
    with pytest.raises(NoBrowser):
        world.store.write_now(lambda tx: push.subscribe(tx, "ewa", subscription, session="", name=""))


@pytest.mark.parametrize("broken", [{"p256dh": "B" + "A" * 86}, {"p256dh": "a"}, {"endpoint": "https://[::"}])
async def test_browser_that_nothing_can_be_sealed_to_ends_nothing(
    world: World, broken: dict[str, str]
) -> None:
    """A point that is on no curve, an address that is none: that browser is forgotten, and the sending goes on."""
    _subscribe(world, Maker())
    world.store.write_now(lambda tx: tx.update(_table(), {"agent": "ewa"}, **broken))
    pusher = Pusher(world.store, lambda: world.context, back_off_s=())
    assert await pusher.send(Push(agent="ewa", title="t", body="b", path="/", tag="t")) == 0
    assert world.rows("push_browsers") == []


async def test_a_maker_that_never_answers_keeps_nobody_else_waiting(world: World) -> None:
    """Each agent has a line of their own, and what is told to one comes in its order."""
    slow, quick = Maker(), Maker()
    never, arrived = asyncio.Event(), asyncio.Event()

    async def hang(request: web.Request) -> web.Response:
        if request.match_info["who"] == "ania":
            await never.wait()
        quick.heard.append(({}, await request.read()))
        if len(quick.heard) == 2:
            arrived.set()
        return web.Response(status=201)

    app = web.Application()
    app.router.add_post("/{who}", hang)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    base = "http://{}:{}".format(*runner.addresses[0][:2])
    for agent, maker in (("ania", slow), ("ewa", quick)):
        _subscribe(world, maker, agent, endpoint=f"https://push.example/{agent}")
        world.store.write_now(
            lambda tx, name=agent: tx.update(_table(), {"agent": name}, endpoint=f"{base}/{name}")  # type: ignore[misc]
        )
    pusher = Pusher(world.store, lambda: world.context, fetcher=outside.Outside(trusted=base))
    running = asyncio.create_task(pusher.run())
    await asyncio.sleep(0)
    told = [("ania", "1"), ("ewa", "1"), ("ania", "2"), ("ewa", "2")]
    for agent, title in told:
        pushed = Push(agent=agent, title=title, body="b", path="/", tag="t")
        await world.store.write(lambda tx, pushed=pushed: tx.signal(push.SIGNAL, [pushed]))  # type: ignore[misc]
    await asyncio.wait_for(arrived.wait(), 10)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    never.set()
    await runner.cleanup()
    assert [quick.read(body)["title"] for _, body in quick.heard[:2]] == ["1", "2"]


async def test_address_inside_the_house_is_never_asked(world: World) -> None:
    """What a browser hands over is a stranger's word."""
    asked = list[str]()

    async def take(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response()

    app = web.Application()
    app.router.add_post("/{tail:.*}", take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    maker = Maker()
    _subscribe(world, maker, endpoint=f"https://127.0.0.1:{port}/send")
    pusher = Pusher(world.store, lambda: world.context, back_off_s=(0, 0))
    told = Push(agent="ewa", title="t", body="b", path="/", tag="t")
    assert await pusher.send(told) == 0
    await pusher._outside.close()
    await runner.cleanup()
    assert asked == []


def test_key_of_the_installation_stays_the_same(world: World) -> None:
    """Browsers take pushes from the one key that they were told."""
    key = pushing.public_key(world.keys)
    assert key == pushing.public_key(world.keys)
    assert len(base64.urlsafe_b64decode(key + "=")) == 65
