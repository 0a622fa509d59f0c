"""POST /tickets/{ref}/here: who looks at a ticket and who writes on it, told to who sees the ticket.

A page says it when it changes, and names the stream that it listens to (the `hello` of /live), for as long as which it holds
(intake.web.desk.places). A page without a stream says it again within half a minute.
"""

from typing import cast

from aiohttp import web

from intake import chats, refs, tickets
from intake.store.engine import Tx
from intake.web.access import Action, Who
from intake.web.desk import forms, subjects
from intake.web.desk.desk import Desk
from intake.web.routes import Route
from intake.whereabouts import Doing

WORDS = ("looking", "replying", "noting", "gone")


def routes(desk: Desk) -> list[Route]:
    """List the routes."""

    async def here(request: web.Request, who: Who) -> web.Response:
        """Say what they do, and hear who else is there."""
        sent, ref = await forms.read(request), refs.normalized(request.match_info["ref"]) or ""
        doing, page = sent.text("doing"), sent.text("page")
        if doing not in WORDS:
            raise web.HTTPBadRequest(text=f"doing is one of {', '.join(WORDS)}\n")
        if who.role != "auditor":
            subject = await find(request)
            if doing == "gone":
                await desk.places.end(ref, who.name, page=page, subject=subject)
            else:
                word, stream = cast("Doing", doing), sent.text("stream")
                await _tell_visitors(desk, ref, who, word)
                await desk.places.say(ref, who.name, word, page=page, stream=stream, subject=subject)
        return forms.done(request, {"here": desk.places.others(ref, who.name)}, to=f"/tickets/{ref}")

    find = subjects.of_ticket(desk)
    return [Route("POST", "/tickets/{ref}/here", Action.see_ticket, here, find, is_by_itself=True)]


async def _tell_visitors(desk: Desk, ref: str, who: Who, doing: Doing) -> None:
    """Show the visitors of a chat that somebody reads, or writes an answer; a note is not told."""
    if not await desk.store.read(lambda tx: _is_chat(tx, ref)):
        return
    context, is_writing = desk.context(), doing == "replying"
    await desk.store.write(lambda tx: chats.here(tx, context, ref, agent=who.name, is_writing=is_writing))


def _is_chat(tx: Tx, ref: str) -> bool:
    ticket = tickets.load_by_ref(tx, ref)
    return ticket is not None and ticket.medium == chats.KIND
