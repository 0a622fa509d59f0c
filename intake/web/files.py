"""GET /files/<token>: a file of an answer, for the provider that is to send it."""

from collections.abc import Callable
from pathlib import Path

from aiohttp import web

from channels.contract import OutboundFile
from channels.twilio import sendable_files
from intake import attaching, file_links
from intake.file_links import Link
from intake.model import Context
from intake.store.engine import Store, StoreError, Tx
from intake.web.access import Action
from intake.web.routes import Route

_HEADERS = {
    "Cache-Control": "private, no-store",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
}


class Files:
    """Answers who has a link of ours; everybody else gets 404, before the store is looked at. folder: of the blobs."""

    def __init__(self, store: Store, context: Callable[[], Context], *, folder: Path) -> None:
        self._store, self._context, self._folder = store, context, folder

    def routes(self) -> list[Route]:
        """Return the route of the files."""
        return [Route("GET", file_links.PATH + "/{token}", Action.see_file, self._get, authority="link")]

    async def _get(self, request: web.Request) -> web.Response:
        token, keys = request.match_info["token"], self._context().keys
        link = file_links.signed(keys, token, now_us=self._store.now_us())
        try:
            file = await self._store.read(lambda tx: self._file(tx, link)) if link is not None else None
        except StoreError:
            raise web.HTTPServiceUnavailable(text="not now, please try again later\n") from None
        if file is None:
            raise web.HTTPNotFound(text="there is no such file, or its link has ended\n")
        named = {"Content-Disposition": f'attachment; filename="{sendable_files.name_of(file.name)}"'}
        return web.Response(body=file.content, content_type=_type_of(file), headers=_HEADERS | named)

    def _file(self, tx: Tx, link: Link) -> OutboundFile | None:
        """Return the file with its bytes."""
        found = file_links.file_of(tx, link)
        return None if found is None else attaching.with_content(tx, found, self._folder)


def _type_of(file: OutboundFile) -> str:
    """Return the type of a file that is sent; of all else, what a browser would run among it, that it is bytes."""
    return sendable_files.type_of(file.content_type) or "application/octet-stream"
