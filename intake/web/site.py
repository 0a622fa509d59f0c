"""Everything that one daemon serves by HTTP: its pages, its desk, its channels' routes, and who stands before them."""

import time
from collections.abc import Callable
from typing import Any

from aiohttp import web

from channels import webchat
from channels.contract import Gate
from intake import web_sessions
from intake.model import Context
from intake.passwords import Hasher
from intake.sections import Http
from intake.settings import Settings
from intake.signing_in import SigningIn
from intake.web import (
    account,
    chat_assets,
    files,
    guesses,
    notice_pages,
    oncall,
    origins,
    people,
    serving,
    sign_in,
)
from intake.web import app as pages
from intake.web import desk as desks
from intake.web.certificates import Certificate
from intake.web.desk.desk import Desk
from intake.web.desk.live import Live
from intake.web.entering import Entering
from intake.web.guard import Guard
from intake.web.routes import Route
from intake.wiring import Wired

_MINUTE_US = 60 * 1_000_000


async def serve(
    wired: Wired, state: pages.State, *, gate: Gate, context: Callable[[], Context], live: Live | None = None
) -> web.AppRunner:
    """Serve until the runner's cleanup(). context: gives the rules in force; live: tells what happens, run by the caller.

    Raises: OSError, RouteError.
    """
    guard, desk = guard_of(wired, context), desk_of(wired, context, live=live)
    http = wired.settings.http
    return await serving.serve(
        state,
        http.listen,
        channels=wired.channels,
        gate=gate,
        routes=routes(wired, context, guard, desk),
        guard=guard,
        tls=Certificate(http.tls).context if http.tls is not None else None,
        ending=(desk.live.close, desk.places.close),
        proxies=guesses.networks(http.proxies),
    )


def desk_of(wired: Wired, context: Callable[[], Context], *, live: Live | None = None) -> Desk:
    """Make what the pages of the desk stand on."""
    return Desk(
        wired.store,
        context,
        keys=wired.keys,
        folder=wired.blob_folder,
        settings=wired.settings,
        live=live,
        channels=wired.channels,
    )


def guard_of(wired: Wired, context: Callable[[], Context]) -> Guard:
    """Make what stands before every route."""
    settings = wired.settings
    return Guard(
        wired.store,
        context,
        times=times(settings),
        own=own_origins(settings.http),
        is_secure=is_secure(settings.http),
        sees_all=settings.desk.agents_see == "all",
    )


def routes(wired: Wired, context: Callable[[], Context], guard: Guard, desk: Desk) -> list[Route]:
    """Return the routes that are not a channel's, nor of the health."""
    proxies = guesses.networks(wired.settings.http.proxies)
    return [
        *desks.routes(desk),
        *oncall.Feeds(wired.store, context).routes(),
        *notice_pages.Pages(wired.store, context, proxies=proxies).routes(),
        *_of_people(wired, context, guard, desk),
        *files.Files(wired.store, context, folder=wired.blob_folder).routes(),
        *(
            chat_assets.routes()
            if any(isinstance(each, webchat.Channel) for each in wired.channels.values())
            else ()
        ),
    ]


def _of_people(wired: Wired, context: Callable[[], Context], guard: Guard, desk: Desk) -> list[Route]:
    """Return the routes of signing in, of one's own account, and of who may sign in."""
    settings, hasher, store = wired.settings.access, Hasher(), wired.store
    signing = SigningIn(store, times=guard.times, hasher=hasher, asked=settings.second_factor)
    entering = Entering(context, guard, proxies=guesses.networks(wired.settings.http.proxies))
    given: dict[str, Any] = {"signing": signing, "entering": entering, "settings": settings, "hasher": hasher}
    return [
        *sign_in.Pages(store, context, guard, clock=time.monotonic, **given).routes(),
        *account.Pages(desk, guard, **given).routes(),
        *people.Pages(desk, settings=settings).routes(),
    ]


def times(settings: Settings) -> web_sessions.Times:
    """Return how long sessions last."""
    access = settings.access
    lifetime_us = int(access.session_hours * 60 * _MINUTE_US)
    return web_sessions.Times(idle_us=int(access.idle_minutes * _MINUTE_US), lifetime_us=lifetime_us)


def is_secure(http: Http) -> bool:
    """Whether browsers reach us by https."""
    return http.tls is not None or http.public_url.startswith("https://")


def own_origins(http: Http) -> frozenset[str]:
    return frozenset({origins.of_url(http.public_url)} if http.public_url else ())
