"""The whole site of a daemon on loopback, with browsers of agents that are signed in: no sockets but HTTP's."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from intake import credentials, passwords, settings, web_sessions, wiring
from intake.feeds import Feeds
from intake.gate import MeasuredGate
from intake.line_files import Uploads
from intake.metrics import Metrics
from intake.model import Context
from intake.store.engine import Signals
from intake.web import csrf, routes, serving
from intake.web import site as sites
from intake.web.access import Role, Who
from intake.web.desk.glimpses import Glimpses
from intake.web.desk.live import Live
from intake.web.guard import Guard
from intake.web.routes import Route
from intake.wiring import Wired

PASSWORD = "green bicycle under a quiet roof"
RULES = """
version: 1
calendars:
  always: {timezone: UTC, open: {mon-sun: "00:00-24:00"}}
agents:
  ania: {email: ania@desk.example}
  ewa: {email: ewa@desk.example}
  olga: {email: olga@desk.example}
  tomek: {email: tomek@desk.example}
teams:
  support: {levels: {l1: [ania], lead: [tomek]}}
  billing: {levels: {l1: [ewa], lead: [olga]}}
sla:
  standard: {calendar: always, first_response: 2h}
route:
  - {id: money, when: {text.words: [invoice, refund]}, then: {team: billing}}
default: {team: support, priority: normal, sla: standard}
"""
SETTINGS = """
name: Example
folder: "{folder}"
http: {{listen: "127.0.0.1:0"{http}}}
channels:
  support: {{kind: email.smtp, listen: "127.0.0.1:0", addresses: [support@example.com]}}
{channels}
outgoing: {{folder: "{folder}/outgoing"}}
{more}
"""


class State:
    """What /readyz asks."""

    metrics = Metrics()

    async def readiness(self) -> Any:
        raise NotImplementedError


class Browser:
    """Somebody's browser. who: as which they are signed in, None = they are not; csrf: what their forms carry."""

    def __init__(self, base: str, session: aiohttp.ClientSession, *, who: Who | None, csrf: str) -> None:
        self.base, self.who, self.csrf, self._session = base, who, csrf, session

    async def ask(
        self, method: str, path: str, *, headers: dict[str, str] | None = None, **options: Any
    ) -> tuple[int, str, Any]:
        """Ask as a page of ours does: of unsafe methods with our Origin and the form's word. Status, text, headers."""
        given = {} if method in ("GET", "HEAD") else {"Origin": self.base, "csrf": self.csrf}
        given |= headers or {}
        options.setdefault("allow_redirects", False)
        async with self._session.request(method, self.base + path, headers=given, **options) as answer:
            return answer.status, await answer.text(), answer.headers


class Site:
    """A running site. context: of its rules; may be replaced, as a reload does; table: every route that it has."""

    def __init__(self, wired: Wired, guard: Guard, base: str, *, table: Sequence[Route] = ()) -> None:
        self.table = table
        self.wired, self.store, self.keys, self.guard, self.base = wired, wired.store, wired.keys, guard, base
        self.context = wired.context
        self._sessions: list[aiohttp.ClientSession] = []

    def add(self, name: str, role: Role = "agent", *, password: str = PASSWORD) -> None:
        """Let somebody sign in."""
        hashed = _hashed(password)

        def add(tx: Any) -> None:
            credentials.add(tx, self.context, name, role, by="system")
            credentials.set_password(tx, name, hashed, by="system")

        self.store.write_now(add)

    def session(self, name: str, *, stage: web_sessions.Stage = "full") -> str:
        """Begin a session; its token."""
        token, times = web_sessions.new_token(), self.guard.times
        self.store.write_now(
            lambda tx: web_sessions.start(tx, self.keys, token=token, name=name, stage=stage, times=times)
        )
        return token

    def browser(self, token: str = "", **cookies: str) -> Browser:
        """Open a browser. token: of a session, "" = it has none."""
        jar = aiohttp.CookieJar(unsafe=True)  # the address is a number
        if token:
            cookies[self.guard.cookie] = token
        session = aiohttp.ClientSession(cookies=cookies, cookie_jar=jar)
        self._sessions.append(session)
        known = web_sessions.hashed(self.keys, token) if token else ""
        found = self.store.read_now(lambda tx: web_sessions.find(tx, known))
        who = web_sessions.who(self.context, found, sees_all=False) if found else None
        return Browser(self.base, session, who=who, csrf=csrf.word(self.keys, who) if who else "")

    def signed_in(self, name: str, role: Role = "agent") -> Browser:
        """Let somebody in, and open their browser."""
        self.add(name, role)
        return self.browser(self.session(name))

    async def close(self) -> None:
        for each in self._sessions:
            await each.close()


@asynccontextmanager
async def open_site(
    folder: Path,
    clock: Any,
    *,
    new_store: bytes | None = None,
    rules: str = RULES,
    http: str = "",
    more: str = "",
    channels: str = "",
    changed: Callable[[Iterable[Route]], Iterable[Route]] = lambda routes: routes,
) -> AsyncIterator[Site]:
    """Serve a site. new_store: the bytes of an empty store, which is quicker; changed: other routes in place of its own."""
    wired = _wired(folder, clock, new_store, rules=rules, http=http, more=more, channels=channels)
    found: dict[str, Site] = {}

    def context() -> Context:
        return found["site"].context if found else wired.context

    guard, desk = sites.guard_of(wired, context), sites.desk_of(wired, context)
    runner: web.AppRunner = await serving.serve(
        State(),
        wired.settings.http.listen,
        channels={name: each for name, each in wired.channels.items() if hasattr(each, "routes")},
        gate=_gate(wired, context, desk.live),
        routes=changed(sites.routes(wired, context, guard, desk)),
        guard=guard,
        ending=(desk.live.close, desk.places.close),
    )
    telling = asyncio.create_task(desk.live.run())
    host, port = runner.addresses[0][:2]
    site = found["site"] = Site(wired, guard, f"http://{host}:{port}", table=routes.table(runner.app))
    try:
        yield site
    finally:
        await site.close()
        await runner.cleanup()
        telling.cancel()
        await asyncio.gather(telling, return_exceptions=True)
        wired.store.close()


def _gate(wired: Wired, context: Callable[[], Context], live: Live) -> MeasuredGate:
    """The gate as the daemon has it: what visitors say is told to the desk's pages."""
    uploads = Uploads(wired.store, wired.keys, folder=wired.blob_folder)
    feeds = Feeds(wired.store, uploads=uploads, context=context)
    feeds.watch(Glimpses(wired.store, live))
    loop = asyncio.get_running_loop()

    def committed(signals: Signals) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(feeds.committed, signals)

    wired.store.listen(committed)
    return MeasuredGate(wired.journal, Metrics(), sessions=wired.sessions(context), feeds=feeds)


def _wired(
    folder: Path, clock: Any, new_store: bytes | None, *, rules: str, http: str, more: str, channels: str
) -> Wired:
    (folder / "rules.yaml").write_text(rules)
    (folder / "replies").mkdir()
    path, data = folder / "intake.yaml", folder / "var"
    path.write_text(SETTINGS.format(folder=data, http=http, more=more, channels=channels))
    data.mkdir()
    if new_store is not None:
        (data / "intake.db").write_bytes(new_store)
    return wiring.wire(settings.load(path, {}), clock=clock)


_hashes: dict[str, str] = {}


def _hashed(password: str) -> str:
    """Return a hash, each made once: they are slow on purpose."""
    if password not in _hashes:
        _hashes[password] = passwords.hashed(password)
    return _hashes[password]
