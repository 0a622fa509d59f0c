"""A chat's other side for the widget's tests: the protocol's objects over real sockets, and a desk that does what it is told.

It keeps lines in memory, breaks connections, refuses and waits on demand, and is otherwise as exact as the protocol.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import msgspec
from aiohttp import WSCloseCode, web

from channels.webchat import protocol
from channels.webchat.assets import LAUNCHER_PATH, MODULE_PATH, Assets
from channels.webchat.protocol import Ack, AgentRead, AgentTypes, Failed, LineFile, Said, Status, Welcome
from channels.webchat.work import Required, Work

ACCOUNT = "website"
Feed = Callable[[protocol.Daemon], Awaitable[None]]


class Chat:
    """One session. lines: numbered from 1."""

    def __init__(self) -> None:
        self.lines: list[Said] = []
        self.acks: dict[str, Ack] = {}
        self.turns: list[protocol.Visitor] = []
        self.feeds: list[Feed] = []
        self.contact: protocol.Contact | None = None
        self.consent: str | None = None
        self.read = 0
        self.got = 0
        self.is_alias = False


class Desk:
    """All chats by token, and what the next connection or line meets."""

    def __init__(self) -> None:
        self.chats: dict[str, Chat] = {}
        self.settings: dict[str, Any] = {}
        self.status = Status(at=_now(), is_open=True, is_live=True, wait_s=(60, 240))
        self.refuses_sockets = False
        self.is_down = False
        self.is_mute = False
        self.errors: list[tuple[str, int | None]] = []
        self.takes_consent_of = ""
        self.work: Work | None = None
        self.uploads: dict[str, tuple[str, bytes]] = {}
        self.upload_status = 200
        self.upload_failures: list[tuple[int, protocol.Daemon | None]] = []
        self.takes_uploads = asyncio.Event()
        self.takes_uploads.set()
        self.tells_status = asyncio.Event()
        self.tells_status.set()
        self.requests: list[str] = []
        self._sockets: set[web.WebSocketResponse] = set()
        self._silenced: set[web.WebSocketResponse] = set()
        self._streams: set[asyncio.Task[Any]] = set()

    @property
    def chat(self) -> Chat:
        """The only chat there is."""
        (only,) = self.chats.values()
        return only

    @property
    def written(self) -> list[str]:
        """What visitors have written, as it was kept."""
        return [each.text for chat in self.chats.values() for each in chat.lines if each.author == "customer"]

    async def say(
        self, text: str, *, author: protocol.Author = "agent", name: str = "Ana", **more: Any
    ) -> None:
        chat = self.chat
        said = Said(seq=len(chat.lines) + 1, at=_now(), author=author, name=name, text=text, **more)
        chat.lines.append(said)
        await self.tell(chat, said)

    async def tell(self, chat: Chat, said: protocol.Daemon) -> None:
        for feed in list(chat.feeds):
            with contextlib.suppress(ConnectionError):
                await feed(said)

    async def type(self, name: str = "Ana") -> None:
        await self.tell(self.chat, AgentTypes(name))

    async def see(self) -> None:
        chat = self.chat
        chat.read = len(chat.lines)
        await self.tell(chat, AgentRead(chat.read))

    async def change(self, status: Status) -> None:
        self.status = status
        for chat in self.chats.values():
            await self.tell(chat, protocol.StatusChanged(**msgspec.structs.asdict(status)))

    async def cut(self) -> None:
        """Break every connection, as a network does."""
        for each in list(self._sockets):
            if each._req is not None and each._req.transport is not None:
                each._req.transport.abort()
        for task in list(self._streams):
            task.cancel()

    def silence(self) -> None:
        """Let every connection go without a word, as a sleep does: both sides believe that it is up."""
        self._silenced |= self._sockets

    # ---- HTTP ----

    def routes(self) -> list[web.RouteDef]:
        base = f"/chat/{ACCOUNT}"
        return [
            web.get(f"{base}/settings.json", self._settings),
            web.get(f"{base}/status.json", self._status),
            web.get(f"{base}/socket", self._socket),
            web.get(f"{base}/stream", self._stream),
            web.post(f"{base}/send", self._send),
            web.post(f"{base}/upload", self._upload),
            web.get(f"{base}/file/{{seq}}/{{n}}", self._file),
            web.get(f"{base}/transcript", self._transcript),
            web.post(f"{base}/transcript", self._mail_transcript),
            web.post(f"{base}/forget", self._forget),
        ]

    async def _settings(self, request: web.Request) -> web.Response:
        return web.json_response(self.settings)

    async def _status(self, request: web.Request) -> web.Response:
        await self.tells_status.wait()
        body = msgspec.json.encode(msgspec.structs.asdict(self.status))
        return web.Response(body=body, content_type="application/json")

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        if self.refuses_sockets:
            raise web.HTTPBadGateway
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self._sockets.add(socket)
        chat: Chat | None = None

        async def feed(said: protocol.Daemon) -> None:
            if not self.is_mute and socket not in self._silenced:
                await socket.send_str(protocol.text_of(said))

        try:
            async for message in socket:
                said = protocol.read(message.data)
                if isinstance(said, protocol.Hello):
                    chat = await self._welcome(said.token, said.after, feed)
                    continue
                assert chat is not None
                for answer in await self.hear(chat, said):
                    await feed(answer)
        finally:
            self._sockets.discard(socket)
            if chat is not None:
                chat.feeds.remove(feed)
        return socket

    async def _welcome(self, token: str, after: int, feed: Feed) -> Chat:
        chat = self.chats.setdefault(token, Chat())
        await feed(
            Welcome(
                seq=len(chat.lines), at=_now(), status=self.status, consent=chat.consent,
                has_contact=chat.contact is not None, read=chat.read,
            )
        )  # fmt: skip
        chat.feeds.append(feed)
        for line in chat.lines[after:]:
            await feed(line)
        return chat

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", **_cors(request)})
        await response.prepare(request)

        async def feed(said: protocol.Daemon) -> None:
            await response.write(f"data: {protocol.text_of(said)}\n\n".encode())

        chat = await self._welcome(_token(request), int(request.query["after"]), feed)
        task = asyncio.ensure_future(asyncio.Event().wait())
        self._streams.add(task)
        try:
            await task
        except asyncio.CancelledError:
            if not task.cancelled():
                raise
            if request.transport is not None:
                request.transport.abort()
        finally:
            task.cancel()
            self._streams.discard(task)
            chat.feeds.remove(feed)
        return response

    async def _send(self, request: web.Request) -> web.Response:
        said = protocol.read(await request.text())
        answers = await self.hear(self.chats.setdefault(_token(request), Chat()), said)
        body = b"[" + b",".join(protocol.text_of(each).encode() for each in answers) + b"]"
        return web.Response(body=body, content_type="application/json")

    async def _upload(self, request: web.Request) -> web.Response:
        _token(request)
        if self.upload_status != 200:
            return web.Response(status=self.upload_status)
        await self.takes_uploads.wait()
        if self.upload_failures:
            return _refused(*self.upload_failures.pop(0))
        if self.work is not None:
            try:
                self.work.check("", "192.0.2.1", request.query["id"], request.query["work"])
            except Required as required:
                return _refused(428, required.asked)
        name, content = request.query["name"], await request.read()
        self.uploads[request.query["id"]] = (name, content)
        return web.json_response(
            {"id": request.query["id"], "name": name, "content_type": "text/plain", "size": len(content)}
        )

    async def _file(self, request: web.Request) -> web.Response:
        line = self.chats[_token(request)].lines[int(request.match_info["seq"]) - 1]
        return web.Response(
            body=f"bytes of {line.files[0].name}".encode(), content_type="application/octet-stream"
        )

    async def _transcript(self, request: web.Request) -> web.Response:
        chat = self.chats[_token(request)]
        return web.Response(text="\n".join(each.text for each in chat.lines))

    async def _mail_transcript(self, request: web.Request) -> web.Response:
        chat = self.chats[_token(request)]
        return web.Response(status=202 if chat.contact else 409)

    async def _forget(self, request: web.Request) -> web.Response:
        del self.chats[_token(request)]
        return web.Response(status=202)

    # ---- what is said ----

    async def hear(self, chat: Chat, said: protocol.Visitor) -> list[protocol.Daemon]:
        chat.turns.append(said)
        match said:
            case protocol.Ping():
                return [protocol.Pong()]
            case protocol.Got(seq):
                chat.got = max(chat.got, seq)
            case protocol.Read(seq):
                chat.turns.append(said)
            case protocol.Line():
                return [await self._take(chat, said)]
            case protocol.Contact():
                chat.contact = said
                return [Ack(said.id, len(chat.lines), _now())]
            case protocol.Consent():
                chat.consent = said.version
                return [Ack(said.id, len(chat.lines), _now())]
            case protocol.Resume(about, link):
                return [await self._resume(chat, about, link)]
            case protocol.Identify() if chat.is_alias:
                return [Failed(code="identity_refused", text="This chat is somebody else's.", id=said.id)]
            case protocol.End() | protocol.Identify():
                return [Ack(said.id, len(chat.lines), _now())]
        return []

    async def _resume(self, chat: Chat, about: str, link: str) -> protocol.Daemon:
        """Let a chat show what the link's has. A link is the other's token here."""
        if link not in self.chats:
            return Failed(code="link_refused", text="That link opens nothing.", id=about)
        if chat.lines and chat.lines is not self.chats[link].lines:
            return Failed(code="link_elsewhere", text="There is another chat here.", id=about)
        chat.lines, chat.is_alias = self.chats[link].lines, True
        for line in chat.lines:
            await self.tell(chat, line)
        return Ack(about, len(chat.lines), _now())

    async def _take(self, chat: Chat, line: protocol.Line) -> protocol.Daemon:
        if line.id in chat.acks:
            return chat.acks[line.id]
        if self.errors:
            code, retry_after_s = self.errors.pop(0)
            return Failed(code=code, text="no", id=line.id, retry_after_s=retry_after_s)
        if self.work is not None:
            try:
                self.work.check("", "192.0.2.1", line.id, line.work)
            except Required as required:
                return required.asked
        if self.takes_consent_of and chat.consent != self.takes_consent_of:
            return Failed(code="consent_required", text="agree first", id=line.id)
        files = tuple(
            LineFile(n, self.uploads[each][0], "text/plain", len(self.uploads[each][1]))
            for n, each in enumerate(line.files)
        )
        said = Said(
            seq=len(chat.lines) + 1, at=_now(), author="customer", text=line.text, id=line.id, files=files
        )
        chat.lines.append(said)
        chat.acks[line.id] = Ack(line.id, said.seq, said.at)
        await self.tell(chat, said)
        return chat.acks[line.id]


@asynccontextmanager
async def serve(desk: Desk) -> AsyncIterator[str]:
    """Serve the desk and the widget's files; gives their origin."""
    assets = Assets()

    @web.middleware
    async def cross_origin(request: web.Request, handler: Any) -> web.StreamResponse:
        desk.requests.append(f"{request.method} {request.path}")
        if desk.is_down and request.transport is not None:
            request.transport.abort()
        if request.method == "OPTIONS":
            return web.Response(status=204, headers=_cors(request))
        response: web.StreamResponse = await handler(request)
        if not response.prepared:
            response.headers.update(_cors(request))
        return response

    app = web.Application(middlewares=[cross_origin])
    app.add_routes([web.get(LAUNCHER_PATH, assets.get_launcher), web.get(MODULE_PATH, assets.get_module)])
    app.add_routes(desk.routes())
    async with serving(app) as origin:
        yield origin
        desk.takes_uploads.set()
        desk.tells_status.set()
        for each in list(desk._sockets):
            await each.close(code=WSCloseCode.GOING_AWAY)
        await desk.cut()


@asynccontextmanager
async def serving(app: web.Application) -> AsyncIterator[str]:
    """Serve an application on a free port of the loopback; gives its origin."""
    runner = web.AppRunner(app, shutdown_timeout=0.5)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def _refused(status: int, failed: protocol.Daemon | None) -> web.Response:
    """Return what a file is answered that is not taken. failed: None = by something that speaks no protocol of ours."""
    if failed is None:
        return web.Response(status=status, text="<html>no</html>", content_type="text/html")
    later = getattr(failed, "retry_after_s", None)
    headers = {} if later is None else {"Retry-After": str(later)}
    return web.Response(
        status=status, text=protocol.text_of(failed), content_type="application/json", headers=headers
    )


def _token(request: web.Request) -> str:
    token = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if len(token) != 43:
        raise web.HTTPUnauthorized
    return token


def _cors(request: web.Request) -> dict[str, str]:
    return {
        "Access-Control-Allow-Origin": request.headers.get("Origin", "*"),
        "Access-Control-Allow-Headers": "authorization, content-type",
        "Access-Control-Allow-Methods": "GET, POST",
        "Access-Control-Expose-Headers": "Retry-After",
    }


def _now() -> str:
    return datetime.now(UTC).isoformat()
