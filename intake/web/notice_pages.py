"""The pages behind the links of notices: GET shows the ticket and two buttons, POST does what a button says.

GET and HEAD change nothing, whoever opens them: mail scanners, previews, browsers that look ahead. There is no cookie and
no session: the signed link is the authority, and only somebody who holds it can make the form's address, so that no
other site can post in an agent's name. Wrong links are refused without a look at the store, and slowly (guesses).
"""

import logging
import time
from collections.abc import Awaitable, Callable
from hashlib import sha256
from importlib import resources
from typing import Any, Literal

import msgspec
from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from intake import acknowledging, instants, notice_links, notice_page, notice_text
from intake.acknowledging import Outcome, Said
from intake.desk import DeskError
from intake.model import Context
from intake.notice_links import Link
from intake.store.engine import Store, StoreError, Tx
from intake.web import styles
from intake.web.access import Action
from intake.web.guesses import Guesses, Networks, asker
from intake.web.notice_views import Gone, View, of_link
from intake.web.routes import Route

RETRY_AFTER_S = 10
_FOLDER = resources.files("intake.web") / "pages"
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_WRONG = "This link is not one of ours, or a part of it is missing: open it from the notice once more."
_OVER = "This link has run out; the ticket can still be looked at with: intake tickets show"
_TOO_MANY = "Too many wrong links came from your network. Wait a minute, then open the link once more."
_UNAVAILABLE = "That cannot be done at the moment. Nothing was changed: try again in a few seconds."

log = logging.getLogger("intake.web.notice_pages")


class Result(msgspec.Struct, frozen=True):
    """What came of it. tone: "done", "known" = it had been before, "refused" = it cannot be."""

    headline: str
    text: str = ""
    tone: Literal["done", "known", "refused"] = "done"


class Answer(msgspec.Struct, frozen=True):
    """One answer to a browser. view: the ticket, None = there is none to show."""

    status: int
    result: Result | None = None
    view: View | None = None


class Pages:
    """The pages on a store. context: gives what is decided with now; clock: seconds, for counting wrong links.

    proxies: those that are believed who asks.
    """

    def __init__(
        self,
        store: Store,
        context: Callable[[], Context],
        *,
        clock: Callable[[], float] = time.monotonic,
        proxies: Networks = (),
    ) -> None:
        self._store, self._context, self._guesses = store, context, Guesses(clock)
        self._proxies = proxies
        environment = Environment(
            loader=FileSystemLoader(str(_FOLDER)), autoescape=True, undefined=StrictUndefined
        )
        self._template = environment.get_template("notice.html")
        self._css = styles.sheet("notice.css")
        self._etag = sha256(self._css).hexdigest()[:16]

    def routes(self) -> list[Route]:
        """Return the routes of the pages. Their forms need no session: whoever has the link may press the button."""
        path = f"{notice_links.PATH}/{{purpose:{'|'.join(notice_links.PURPOSES)}}}/{{token}}"
        style = f"{notice_links.PATH}/style/notice.css"
        return [
            Route("GET", path, Action.follow_link, self.show, authority="link"),
            Route("POST", path, Action.acknowledge, self.act, authority="link"),
            Route("GET", style, Action.load_asset, self.style, authority="public"),
        ]

    async def show(self, request: web.Request) -> web.Response:
        return await self._answered(request, self._shown)

    async def act(self, request: web.Request) -> web.Response:
        return await self._answered(request, self._acted)

    async def style(self, request: web.Request) -> web.Response:
        headers = {"Cache-Control": "public, max-age=3600", "ETag": f'"{self._etag}"'}
        return web.Response(body=self._css, content_type="text/css", charset="utf-8", headers=headers)

    async def _answered(self, request: web.Request, act: Callable[[Link], Awaitable[Answer]]) -> web.Response:
        client = asker(request, self._proxies)
        if self._guesses.are_enough(client):
            return self._page(Answer(429, Result(_TOO_MANY, tone="refused")), retry_after_s=60)
        context = self._context()
        link = notice_links.read(context.keys, _purpose(request), request.match_info["token"])
        if link is None:
            self._guesses.note(client)
            if self._guesses.are_enough(client):
                log.warning("links_guessed client=%s", client)
            return self._page(Answer(404, Result(_WRONG, tone="refused")))
        if link.until_s * 1_000_000 <= self._store.now_us():
            return self._page(Answer(410, Result(f"{_OVER} {link.ref}", tone="refused")))
        try:
            return self._page(await act(link))
        except StoreError:
            refused = Answer(503, Result(_UNAVAILABLE, tone="refused"))
            return self._page(refused, retry_after_s=RETRY_AFTER_S)

    async def _shown(self, link: Link) -> Answer:
        context = self._context()
        found = await self._store.read(lambda tx: of_link(tx, context, link))
        if isinstance(found, Gone):
            return Answer(410, Result(found.sentence, tone="refused"))
        return Answer(200, None, found)

    async def _acted(self, link: Link) -> Answer:
        context = self._context()
        try:
            return await self._store.write(lambda tx: _act(tx, context, link))
        except DeskError as refusal:
            found = await self._shown(link)
            return Answer(
                409, Result("Nothing was changed.", _sentence(str(refusal)), tone="refused"), found.view
            )

    def _page(self, answer: Answer, *, retry_after_s: int | None = None) -> web.Response:
        house = self._context().organization
        about = f"Ticket {answer.view.ref}" if answer.view is not None else "Notice"
        said = f"{answer.result.headline.rstrip('.')} – " if answer.result is not None else ""
        title = f"{said}{about}{f' – {house}' if house else ''}"
        text = self._template.render(house=house, title=title, page=answer.view, result=answer.result)
        headers = dict(_HEADERS)
        if retry_after_s is not None:
            headers["Retry-After"] = str(retry_after_s)
        return web.Response(
            text=text, status=answer.status, content_type="text/html", charset="utf-8", headers=headers
        )


def _purpose(request: web.Request) -> Any:
    return request.match_info["purpose"]  # the route lets no other through


def _act(tx: Tx, context: Context, link: Link) -> Answer:
    """Do what the button says, and say what came of it. Raises: DeskError."""
    found = of_link(tx, context, link)
    if isinstance(found, Gone):
        return Answer(410, Result(found.sentence, tone="refused"))
    if not found.choices and found.until == "":
        return Answer(409, Result("Nothing was changed.", found.headline, tone="refused"), found)
    said = Said(agent=link.agent, how="link", notice=link.notice)
    act = acknowledging.take if link.purpose == "take" else acknowledging.acknowledge
    outcome = act(tx, context, link.ref, said)
    after = of_link(tx, context, link)
    assert isinstance(after, View)  # noqa: S101 - it was one, in this very transaction
    return Answer(200, _result(tx, context, outcome, link), after)


def _result(tx: Tx, context: Context, outcome: Outcome, link: Link) -> Result:
    """Say in whose hands it is: somebody else may have been faster."""
    ticket, look = outcome.ticket, outcome.look
    if outcome.is_done and link.purpose == "take":
        told = f" {outcome.held_by} had it, and is told." if outcome.held_by not in (None, link.agent) else ""
        return Result("The ticket is yours.", f"You look at it; no clock has stopped.{told}")
    if outcome.is_done or look is None:
        return Result("You look at it.", "Nobody else is told for now; no clock has stopped.")
    zone = notice_page.zone_of_agent(context, link.agent) or notice_page.zone_of_ticket(tx, context, ticket)
    now, at = instants.datetime_from_us(tx.now), instants.datetime_from_us(look.at)
    since = notice_text.clock_time(at, now=now, zone=zone)
    if look.agent == link.agent:
        return Result(
            f"You have looked at it since {since}.", "Nothing was changed by saying it again.", "known"
        )
    return Result(
        f"{look.agent} looks at it since {since}.", "You were second: nothing was changed.", "known"
    )


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."
