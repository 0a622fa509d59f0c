"""Files of a conversation: what customers send is given out as bytes to be kept, never as a page, a script or a picture of ours.

The one thing that a browser shows of them is the small JPEG that intake made itself. W3C CSP 3 §6.3.2 (sandbox), RFC 6266.
"""

from typing import TYPE_CHECKING
from urllib.parse import quote

from aiohttp import web

from intake import kept_files
from intake.kept_files import KeptFile
from intake.store.engine import Tx
from intake.web import refusals
from intake.web.access import Action, Who
from intake.web.desk import subjects
from intake.web.routes import Route

if TYPE_CHECKING:
    from intake.web.desk.desk import Desk

PATH = "/tickets/{ref}/files/{message:[0-9]{1,19}}/{number:[0-9]{1,4}}"
_HEADERS = {
    # A browser that keeps it would show it to whoever signs in there next, and to who may not see the ticket any more.
    "Cache-Control": "private, no-store",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


def routes(desk: "Desk") -> list[Route]:
    """A file, and the small picture of one."""

    async def whole(request: web.Request, who: Who) -> web.Response:
        file = await _file(desk, request)
        if file is None or file.content is None:
            why = "There is no such file." if file is None else f"This file is not here: {file.problem}."
            return refusals.answer(request, 404, why)
        named = f"attachment; filename*=UTF-8''{quote(_name(file), safe='')}"
        headers = _HEADERS | {"Content-Disposition": named}
        return web.Response(body=file.content, content_type="application/octet-stream", headers=headers)

    async def small(request: web.Request, who: Who) -> web.Response:
        file = await _file(desk, request)
        if file is None or file.thumbnail is None:
            return refusals.answer(request, 404, "There is no such picture.")
        return web.Response(body=file.thumbnail, content_type="image/jpeg", headers=_HEADERS)

    find = subjects.of_ticket(desk)
    return [
        Route("GET", PATH, Action.see_file, whole, subject=find),
        Route("GET", f"{PATH}/small", Action.see_file, small, subject=find),
    ]


async def _file(desk: "Desk", request: web.Request) -> KeptFile | None:
    ref, wanted = request.match_info["ref"], request.match_info
    message, number = int(wanted["message"]), int(wanted["number"])

    def read(tx: Tx) -> KeptFile | None:
        return kept_files.of_message(tx, ref, message, number, desk.folder)

    return await desk.store.read(read)


def _name(file: KeptFile) -> str:
    """Return a name that no file system takes for a path."""
    kept = "".join(each for each in file.name if each.isprintable() and each not in '/\\:*?"<>|')
    return kept.strip(". ")[:120] or "file"
