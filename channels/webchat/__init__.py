"""Chat on a web page, spoken over a WebSocket, or over HTTP where proxies break those: channels.webchat.protocol is the text.

    /chat/<account>/…                  what a page of the account's `origins` asks for; see the protocol
    /chat/widget.js                    what puts the chat onto a page (channels.webchat.assets)

Delivery: a line is journalled before it is acknowledged, its number is given in the same transaction, and saying it again is
answered as before. What we say is a row of the session's feed, numbered with the visitor's lines, and comes until the page
has acknowledged it by number. A chat that nothing is heard of for 30 days is forgotten.

Level: solid. No calls, no video, no history of another device but by proof of who it is.
"""

import logging
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from channels import contract
from channels.webchat import parsing, quick_replies, settings
from channels.webchat.parsing import kept_elsewhere

if TYPE_CHECKING:
    from aiohttp import web

    from channels.webchat.rooms import Rooms
    from channels.webchat.socket import Sockets
    from channels.webchat.stream import Streams

__all__ = ["MEDIUM", "Channel", "Options", "kept_elsewhere", "parse"]

MEDIUM = parsing.MEDIUM
IS_QUICK = True  # to parse a turn is less work than to hand it to a thread: its step has read it before
Options = settings.Options


def parse(raw: contract.RawMessage, options: Options, evidence: Any = None) -> contract.Understood:
    """A visitor's line, or what happened beside words."""
    return parsing.parse(raw)


def _now() -> datetime:
    return datetime.now(UTC)


class Channel:
    """One account of kind webchat."""

    prefix = "/chat"
    authority = "visitor"
    is_fed = True  # what we say is said to the session's feed, and uploads are in the journal

    def __init__(
        self,
        account: str,
        options: Options,
        *,
        log: logging.Logger | None = None,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        self._account, self._options, self._clock = account, options, clock
        self.entrance = f"{self.prefix}/widget.js?account={account}"
        self._log = log or logging.getLogger("channels.webchat")
        self._rooms: Rooms | None = None
        self._sockets: Sockets | None = None
        self._streams: Streams | None = None

    async def run(self, gate: contract.Gate) -> None:
        """Tell open chats when somebody comes or goes."""
        await self._opened(gate).watch()

    def routes(self, gate: contract.Gate) -> Iterable["web.RouteDef"]:
        """Give the routes of the protocol."""
        from aiohttp import web

        from channels import hooks
        from channels.webchat.door import Door
        from channels.webchat.pages import Pages
        from channels.webchat.socket import Sockets
        from channels.webchat.stream import Streams
        from channels.webchat.uploads import Uploads

        rooms, door = self._opened(gate), Door(self._account, self._options)
        said, files = _bodies(self._options)
        sockets = self._sockets = Sockets(rooms)
        streams = self._streams = Streams(rooms, door, said)
        uploads = Uploads(self._options, rooms, door, files)
        pages = Pages(self._options, rooms, door)
        yield web.get("/socket", hooks.long_lived(door.opening(sockets.answer)))
        yield web.get("/stream", hooks.long_lived(door.opening(streams.stream)))
        yield web.post("/send", door.opening(streams.send))
        yield web.post("/upload", door.opening(uploads.take))
        yield web.get("/file/{seq}/{n}", door.opening(uploads.give))
        yield web.get("/transcript", door.opening(pages.transcript))
        yield web.post("/transcript", door.opening(pages.mail_transcript))
        yield web.post("/forget", door.opening(pages.forget))
        yield web.get("/status.json", door.opening(pages.status))
        yield web.get("/settings.json", door.opening(pages.settings))
        yield web.options("/{path:[a-z0-9./]{1,40}}", door.opening(door.preflight))

    @property
    def open_count(self) -> int:
        """How many connections are open chats, which this channel bounds itself."""
        return 0 if self._rooms is None else self._rooms.count

    def check(self) -> list[contract.Problem]:
        """Say what is odd about the options."""
        return [*self._in_the_clear(), *self._unsaid()]

    def _in_the_clear(self) -> list[contract.Problem]:
        plain = [each for each in self._options.origins if each.startswith("http://")]
        return [
            contract.Problem(
                f"pages of {each} are sent in the clear, and a chat's token with them",
                hint="serve the site by https",
                severity="warning",
            )
            for each in plain
            if not each.startswith(("http://localhost", "http://127.0.0.1"))
        ]

    def _unsaid(self) -> list[contract.Problem]:
        """Find quick replies that are not written in every language that the account's texts speak."""
        return [
            contract.Problem(
                f"quick_replies: {name} is not written in {', '.join(missing)}, the account's other texts are",
                hint="a visitor of that language sees the English button, or the first that is written",
                severity="warning",
            )
            for name, missing in quick_replies.unsaid(
                self._options.quick_replies, settings.languages(self._options)
            )
        ]

    async def hang_up(self) -> None:
        """Close every open chat: pages come back to the next daemon, and go on where they were."""
        for each in (self._sockets, self._streams):
            if each is not None:
                await each.hang_up()

    def _opened(self, gate: contract.Gate) -> "Rooms":
        from channels.webchat.door import Door
        from channels.webchat.rooms import Rooms

        if self._rooms is None:
            door = Door(self._account, self._options)
            self._rooms = Rooms(
                self._account, self._options, gate=gate, door=door, clock=self._clock, log=self._log
            )
        return self._rooms


def _bodies(options: Options) -> Any:
    """Return what reads what pages say, and what reads their files."""
    from channels import hooks
    from channels.webchat import protocol

    said = hooks.Bodies(
        max_size_bytes=protocol.OBJECT_MAX_BYTES, max_in_flight_bytes=16 * settings.MEGABYTE, timeout_s=10
    )
    files = hooks.Bodies(
        max_size_bytes=options.files.max_size_bytes,
        max_in_flight_bytes=options.max_waiting_bytes,
        timeout_s=120,
    )
    return said, files
