"""What the desk's pages load: style and modules, read once, packed once, kept by browsers for ever.

Their address carries one hash over all of them, so that a module's `import "./live.js"` needs no rewriting, and a page
never mixes two versions. A page that was opened before an upgrade and loads a module late gets it as it is now.
"""

import gzip
from hashlib import sha256
from importlib import resources
from importlib.resources.abc import Traversable
from typing import TYPE_CHECKING

import msgspec
from aiohttp import web

from intake.web.access import Action
from intake.web.routes import Route

if TYPE_CHECKING:
    from intake.web.desk.desk import Desk

PATH = "/desk/assets"
_TYPES = {
    "css": "text/css",
    "js": "text/javascript",
    "svg": "image/svg+xml",
    "webmanifest": "application/manifest+json",
}
_FOREVER = "public, max-age=31536000, immutable"


class Asset(msgspec.Struct, frozen=True):
    """One file as it is sent. packed: by gzip."""

    content_type: str
    content: bytes
    packed: bytes


class Assets:
    """The files by name, in memory."""

    def __init__(self) -> None:
        self.files = {name: _asset(name, content) for name, content in sorted(_read().items())}
        digest = sha256()
        for name, each in self.files.items():
            digest.update(name.encode() + b"\0" + each.content + b"\0")
        self.version = digest.hexdigest()[:16]

    def url(self, name: str) -> str:
        """Return where a file is. Raises: KeyError when there is none."""
        if name not in self.files:
            raise KeyError(f"the desk has no file '{name}'")
        return f"{PATH}/{self.version}/{name}"

    async def get(self, request: web.Request) -> web.Response:
        """Send one, packed to whoever takes that."""
        asset = self.files.get(request.match_info["name"])
        if asset is None:
            raise web.HTTPNotFound(text="there is no such file\n")
        is_this = request.match_info["version"] == self.version
        headers = {"Cache-Control": _FOREVER if is_this else "no-cache", "Vary": "Accept-Encoding"}
        headers["Cross-Origin-Resource-Policy"] = "same-origin"
        if "gzip" in request.headers.get("Accept-Encoding", ""):
            headers["Content-Encoding"] = "gzip"
            return web.Response(body=asset.packed, headers=headers | {"Content-Type": asset.content_type})
        return web.Response(body=asset.content, headers=headers | {"Content-Type": asset.content_type})


def routes(desk: "Desk") -> list[Route]:
    """Everybody may load them: they hold nobody's words, and the sign-in page has the same style."""
    path = PATH + "/{version:[0-9a-f]{16}}/{name:[a-z0-9_.-]+}"
    return [Route("GET", path, Action.load_asset, desk.assets.get, authority="public")]


def _read() -> dict[str, bytes]:
    """Return style, icons and modules by name."""
    folder = resources.files("intake.web.desk")
    found: dict[str, bytes] = {}
    for part in (folder, folder / "modules"):
        found |= {each.name: each.read_bytes() for each in part.iterdir() if _is_asset(each)}
    return found


def _is_asset(file: Traversable) -> bool:
    return file.is_file() and file.name.rpartition(".")[2] in _TYPES


def _asset(name: str, content: bytes) -> Asset:
    kind = _TYPES[name.rpartition(".")[2]]
    return Asset(f"{kind}; charset=utf-8", content, gzip.compress(content, 9, mtime=0))
