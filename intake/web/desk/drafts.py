"""Texts under way: /tickets/{ref}/drafts saves one at each pause, /drafts shows all of one's own.

A text is its writer's, also when the ticket has become somebody else's: what exists is saved, shown and thrown away by who
wrote it, whatever they may see; only a new one on a ticket needs the ticket.
"""

import asyncio
from typing import Any, cast

from aiohttp import web

from intake import attaching, draft_files, drafts, refs
from intake import desk as agents_desk
from intake.desk import DeskError
from intake.drafts import Draft, Kind, Text
from intake.store.engine import Tx
from intake.web.access import Action, Who
from intake.web.desk import forms, subjects
from intake.web.desk.desk import Desk
from intake.web.desk.forms import Sent
from intake.web.routes import Route

FORM_BYTES = 1024 * 1024  # beside the files
_FORK = "{fork:[A-Za-z0-9_-]{16,64}}"


def routes(desk: Desk) -> list[Route]:
    """List the routes."""
    found, pages = subjects.of_ticket(desk), Drafts(desk)
    most = desk.settings.limits.max_attachments_bytes + FORM_BYTES
    return [
        Route("GET", "/tickets/{ref}/drafts", Action.draft, pages.of_ticket, found),
        Route("POST", "/tickets/{ref}/drafts", Action.draft, pages.save, found),
        Route(
            "POST",
            f"/tickets/{{ref}}/drafts/{_FORK}/files",
            Action.draft,
            pages.attach,
            found,
            max_body_bytes=most,
        ),
        Route("POST", f"/drafts/{_FORK}/files", Action.new_ticket, pages.attach_own, max_body_bytes=most),
        Route("POST", f"/drafts/{_FORK}/files/remove", Action.own_drafts, pages.detach),
        Route("GET", "/drafts", Action.own_account, pages.own),
        Route("POST", f"/drafts/{_FORK}", Action.own_drafts, pages.save_own),
        Route("POST", f"/drafts/{_FORK}/discard", Action.own_drafts, pages.discard),
        Route("POST", f"/drafts/{_FORK}/restore", Action.own_drafts, pages.restore),
    ]


class Drafts:
    """The handlers."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def of_ticket(self, request: web.Request, who: Who) -> web.Response:
        """Give what they write on a ticket, the last saved first."""
        ref = refs.normalized(request.match_info["ref"]) or ""

        def look(tx: Tx) -> list[dict[str, Any]]:
            ticket = agents_desk.find(tx, ref, is_locked=False, is_followed=False)
            return [drafts.public(each) for each in drafts.of_ticket(tx, ticket, agent=who.name)]

        found = await self._desk.store.read(look)
        return forms.done(request, {"drafts": found}, to=f"/tickets/{ref}#composer")

    async def save(self, request: web.Request, who: Who) -> web.Response:
        """Keep a text on a ticket, a new one or one that is known."""
        ref = refs.normalized(request.match_info["ref"]) or ""
        return await self._save(request, who, ref)

    async def save_own(self, request: web.Request, who: Who) -> web.Response:
        """Keep a text whatever its ticket has become: known already, or of none that they may see."""
        return await self._save(request, who, None)

    async def _save(self, request: web.Request, who: Who, ref: str | None) -> web.Response:
        sent = await forms.read(request)
        fork = request.match_info.get("fork") or sent.text("fork")

        def write(tx: Tx) -> Draft:
            return drafts.save(tx, self._desk.context(), ref, _text(sent, fork), agent=who.name)

        try:
            kept = await self._desk.store.write(write)
        except DeskError as error:
            return forms.refused(request, error)
        told = {"fork": kept.fork, "revision": kept.revision, "state": kept.state}
        if kept.body != sent.text("text") or kept.state == "sent":
            told["text"] = (
                kept.body
            )  # sent without anybody hearing of it, or written by another tab: the page goes on from it
        return forms.done(request, told, to="/drafts" if ref is None else f"/tickets/{ref}#composer")

    async def own(self, request: web.Request, who: Who) -> web.Response:
        """Show all that they write, and what they threw away lately."""

        def look(tx: Tx) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
            return tuple(  # type: ignore[return-value]
                [drafts.public(each) for each in drafts.own(tx, who.name, state=state)]
                for state in ("writing", "discarded")
            )

        writing, discarded = await self._desk.store.read(look)
        if not forms.wants_page(request):
            return forms.done(request, {"drafts": writing, "discarded": discarded}, to="/drafts")
        return self._desk.render("drafts.html", who, writing=writing, discarded=discarded, here="/drafts")

    async def attach(self, request: web.Request, who: Who) -> web.Response:
        """Keep files with an answer that is being written."""
        return await self._attach(request, who, refs.normalized(request.match_info["ref"]) or "")

    async def attach_own(self, request: web.Request, who: Who) -> web.Response:
        """Keep files with the first word of a ticket that is yet to be."""
        return await self._attach(request, who, None)

    async def _attach(self, request: web.Request, who: Who, ref: str | None) -> web.Response:
        sent, fork = await forms.read(request), request.match_info["fork"]
        most, context = self._desk.settings.limits.max_attachments_bytes, self._desk.context()

        def keep(tx: Tx) -> Draft:
            return draft_files.add(tx, context, ref, fork, files, agent=who.name, max_bytes=most)

        try:
            files = await asyncio.to_thread(
                attaching.of_bytes, sent.files, folder=self._desk.folder, max_bytes=most
            )
            kept = await self._desk.store.write(keep)
        except attaching.TooMuch as error:
            return forms.refused(request, DeskError(str(error)))
        except DeskError as error:
            return forms.refused(request, error)
        to = "/drafts" if ref is None else f"/tickets/{ref}#composer"
        return forms.done(request, {"files": drafts.public(kept)["files"]}, to=to)

    async def detach(self, request: web.Request, who: Who) -> web.Response:
        """Let a file go."""
        sent, fork = await forms.read(request), request.match_info["fork"]
        kept = await self._desk.store.write(
            lambda tx: draft_files.remove(tx, fork, sent.text("name"), agent=who.name)
        )
        files = [] if kept is None else drafts.public(kept)["files"]
        return forms.done(request, {"files": files}, to="/drafts")

    async def discard(self, request: web.Request, who: Who) -> web.Response:
        """Throw one away; it can be brought back for some days."""
        return await self._move(request, who, drafts.discard)

    async def restore(self, request: web.Request, who: Who) -> web.Response:
        """Bring one back."""
        return await self._move(request, who, drafts.restore)

    async def _move(self, request: web.Request, who: Who, act: Any) -> web.Response:
        fork = request.match_info["fork"]
        is_done = await self._desk.store.write(lambda tx: act(tx, fork, agent=who.name))
        kept = await self._desk.store.read(lambda tx: drafts.load(tx, fork, agent=who.name))
        told = {"fork": fork, "done": is_done, "draft": None if kept is None else drafts.public(kept)}
        return forms.done(request, told, to="/drafts")


def _text(sent: Sent, fork: str) -> Text:
    return Text(
        fork=fork,
        kind=cast("Kind", sent.text("kind")),
        body=sent.text("text"),
        revision=sent.number("revision"),
        seen=sent.text("seen"),
    )
