"""The stage beside a running daemon: Twilio is played at the accounts' api_url, the daemon is looked at by its store.

The daemon's clock is nobody's to move: what a scenario waits for goes by on the provider's side alone.
"""

import asyncio
import contextlib
import ipaddress
import time
import urllib.parse
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import msgspec
from sqlalchemy import bindparam, or_, select

from channels.twilio import setup
from channels.twilio.settings import Options
from channels.twilio.simulator import rest
from channels.twilio.simulator.calls import Switchboard
from channels.twilio.simulator.provider import Provider
from channels.twilio.simulator.studio import Studio
from channels.twilio.simulator.texts import Mailman
from channels.twilio.simulator.webhooks import Webhooks
from intake import attempts, instants
from intake.model import Context
from intake.settings import Settings
from intake.store import schema
from intake.store.engine import Store, Tx
from intake.store.statements import Statement
from intake.wiring import Wired

STILL_S = 15.0
LOOK_S = 0.05
SOON_US = 2_000_000  # an account of Twilio sends its numbers' texts one after the other
KINDS = {"twilio.sms": "sms", "twilio.whatsapp": "whatsapp", "twilio.voice": "voice"}
EXAMPLE = "http://127.0.0.1:8089"
_ANY_HOST = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1", "*": "127.0.0.1"}  # noqa: S104 - to connect to

_j, _o, _f = schema.journal.c, schema.outbox.c, schema.fetches.c
_BUSY = (
    Statement(select(_j.id).where(_j.state == "pending", bindparam("now") > 0).limit(1)),
    Statement(
        select(_o.id)
        .where(_o.state == "queued", or_(_o.next_at <= bindparam("soon"), _o.error == attempts.UNDER_WAY))
        .limit(1)
    ),
    Statement(select(_f.id).where(_f.state == "queued", _f.next_at <= bindparam("now")).limit(1)),
)


class NotPlayable(Exception):
    """The configuration cannot be played with: one sentence that says what to change."""


class Accounts(msgspec.Struct, frozen=True):
    """What is played: one account of Twilio, with the accounts of intake.yaml that it stands behind. medium -> name."""

    named: dict[str, str]
    options: dict[str, Options]
    host: str
    port: int

    @property
    def first(self) -> Options:
        return next(iter(self.options.values()))

    @property
    def numbers(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(number for each in self.options.values() for number in each.numbers))


def accounts_of(settings: Settings, medium: str) -> Accounts:
    """Find who is to be played. medium: "voice", or "sms", for which WhatsApp will do as well. Raises: NotPlayable."""
    found = {name: each for name, each in settings.channels.items() if each.kind in KINDS}
    fitting = (medium, "whatsapp") if medium == "sms" else (medium,)
    wanted = [name for name, each in found.items() if KINDS[each.kind] in fitting]
    if not wanted:
        kind = next(kind for kind, each in KINDS.items() if each == medium)
        raise NotPlayable(f"no account of kind {kind} is set up in {settings.path}: add one under channels:")
    main = found[wanted[0]].options
    host, port = _place(wanted[0], main)
    same = {
        name: each
        for name, each in found.items()
        if (each.options.account_sid, each.options.api_url) == (main.account_sid, main.api_url)
    }
    for name, each in same.items():
        _check(name, each.options)
    return Accounts(
        {KINDS[each.kind]: name for name, each in reversed(same.items())},
        {KINDS[each.kind]: each.options for _, each in reversed(same.items())},
        host,
        port,
    )


def _place(name: str, options: Options) -> tuple[str, int]:
    """Where Twilio is to be played: the account's api_url, which must be this machine. Raises: NotPlayable."""
    parts = urllib.parse.urlsplit(options.api_url)
    host = parts.hostname or ""
    if not _is_loopback(host) or parts.scheme != "http" or not parts.port:
        raise NotPlayable(
            f"account '{name}' asks {options.api_url}: to have Twilio played here, set its api_url: {EXAMPLE}, "
            "and restart the daemon"
        )
    return host, parts.port


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _check(name: str, options: Options) -> None:
    if not options.auth_token:
        raise NotPlayable(
            f"account '{name}' has no auth_token, so nothing can be signed: set one (for a played Twilio any word will do)"
        )
    if not options.public_url:
        raise NotPlayable(
            f"account '{name}' has no public_url, which is what is signed: set http: public_url, for example "
            "https://help.example.com"
        )
    if not options.numbers:
        raise NotPlayable(f"account '{name}' has no numbers: nobody can be called or written to")


class Beside:
    """A stage (intake.playing.Stage) with a daemon that runs elsewhere."""

    def __init__(self, wired: Wired, accounts: Accounts, *, seed: int = 1) -> None:
        self._wired, self._accounts = wired, accounts
        first = accounts.first
        self.provider = Provider(
            account=first.account_sid,
            token=first.auth_token,
            numbers=accounts.numbers,
            # A daemon remembers what it has seen: ids of an earlier play would be the same messages.
            seed=seed if seed != 1 else time.time_ns(),
            at=instants.now(),
        )
        self.studio: Studio
        self.board: Switchboard
        self.mailman: Mailman

    @property
    def store(self) -> Store:
        return self._wired.store

    @property
    def context(self) -> Context:
        return self._wired.context

    @contextlib.asynccontextmanager
    async def playing(self) -> AsyncIterator["Beside"]:
        """Play Twilio until the block ends. Raises: NotPlayable when a port is taken, or nobody listens on ours."""
        accounts = self._accounts
        async with contextlib.AsyncExitStack() as stack:
            session = await stack.enter_async_context(aiohttp.ClientSession())
            base_url = await _daemon_at(self._wired.settings, session)
            try:
                await stack.enter_async_context(
                    rest.serving(self.provider, host=accounts.host, port=accounts.port)
                )
            except OSError as error:
                where = f"{accounts.host}:{accounts.port}"
                raise NotPlayable(f"Twilio cannot be played on {where}: {error.strerror or error}") from None
            public_url = accounts.first.public_url
            webhooks = Webhooks(self.provider, public_url=public_url, base_url=base_url, session=session)
            self.studio = Studio(self.provider, webhooks)
            self.studio.settled = self.settled
            self.board = Switchboard(self.studio)
            whatsapp = accounts.named.get("whatsapp", "")
            self.mailman = Mailman(self.studio, whatsapp_url=f"{public_url}/hooks/{whatsapp}/message")
            self.mailman.reports_at_once = True
            self._set_up()
            yield self

    def _set_up(self) -> None:
        """Set the numbers up as `intake twilio setup` does."""
        mediums: tuple[setup.Medium, ...] = ("sms", "voice")
        for medium in mediums:
            options = self._accounts.options.get(medium)
            for number in options.numbers if options is not None else ():
                assert options is not None  # noqa: S101 - it has numbers
                wanted = setup.wanted(options, self._accounts.named[medium], medium)
                self.provider.numbers[number].settings |= wanted

    async def settled(self) -> None:
        """Wait until the store says that nothing is left to do; a daemon that is stuck is not waited for."""
        until = time.monotonic() + STILL_S
        while time.monotonic() < until and await self.store.read(_is_busy):
            await asyncio.sleep(LOOK_S)

    async def do(self, name: str) -> None:
        raise KeyError(name)


def _is_busy(tx: Tx) -> bool:
    return any(tx.one(each, now=tx.now, soon=tx.now + SOON_US) is not None for each in _BUSY)


async def _daemon_at(settings: Settings, session: aiohttp.ClientSession) -> str:
    """Return where the daemon listens. Raises: NotPlayable when it does not."""
    host, _, port = settings.http.listen.rpartition(":")
    bare = host.strip("[]")
    bare = _ANY_HOST.get(bare, bare)
    url = f"http://{f'[{bare}]' if ':' in bare else bare}:{port}"
    timeout: Any = aiohttp.ClientTimeout(total=5)
    try:
        async with session.get(f"{url}/healthz", timeout=timeout, allow_redirects=False):
            return url
    except (aiohttp.ClientError, TimeoutError, OSError):
        raise NotPlayable(
            f"nothing listens on {settings.http.listen}: start the daemon first, with 'intake run'"
        ) from None
