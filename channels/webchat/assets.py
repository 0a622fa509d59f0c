"""What a page loads to have the chat: the launcher, then the panel and its words, made once when the daemon starts.

    /chat/widget.js                              the launcher; kept five minutes: an upgrade reaches every page soon
    /chat/assets/<version>/panel.js              the panel; kept for ever, as the version is a hash over all of it
    /chat/assets/<version>/strings.<language>.js its words in one language
    /chat/assets/<version>/work.js               what few pages ever need (channels.webchat.work)

A page that was opened before an upgrade gets each as it is now, and does not keep it. Answering takes bytes from memory,
and asks the store for nothing.

The sources are plain modules that run as they are. They are sent without comments and blanks, which would be a third
of it, and the panel's in one piece, in the order of their imports: fourteen requests would take a telephone three times
as long as one. That they can share one scope, having no two names alike, a test sees to.
"""

import gzip
import re
from collections import Counter
from hashlib import sha256
from importlib import resources

import msgspec
import rjsmin
from aiohttp import web

LAUNCHER = "launcher.js"
PANEL = "panel.js"
SELDOM = ("work.js",)  # asked for when it is needed
LAUNCHER_PATH = "/chat/widget.js"
MODULE_PATH = "/chat/assets/{version:[0-9a-f]{16}}/{name:[a-z.]+}"
_PATH = 'const PATH = "assets/source/";'
_IMPORT = re.compile(r'import \{[^}]{0,200}\} from "\./([a-z.]{1,40})";\n')
_STYLE = re.compile(r"= `\n[:.@*][^`]{0,20000}`;")  # a style sheet, in which blanks mean nothing behind these
_BLANKS = re.compile(r";\s{0,9}(?=\})|([{};,:])\s+| (?=[{}])")
_PRIVATE = re.compile(r"this\??\.#([A-Za-z]\w*)")
_NAMED = re.compile(r"(?<![\"'`])#[A-Za-z]\w*")  # "#chat=" is text
_SHORT = "public, max-age=300, stale-while-revalidate=86400"
_FOREVER = "public, max-age=31536000, immutable"
# Modules are loaded by pages of every origin, and hold nobody's words.
_HEADERS = {
    "Content-Type": "text/javascript; charset=utf-8",
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Vary": "Accept-Encoding",
}


class Asset(msgspec.Struct, frozen=True):
    """One file as it is sent. packed: by gzip."""

    content: bytes
    packed: bytes
    tag: str


class Assets:
    """The files of the chat by name, in memory."""

    def __init__(self) -> None:
        sources = brief({name: _with_brief_styles(source) for name, source in _sources().items()})
        sent = {name: text for name, text in sources.items() if name.startswith("strings.") or name in SELDOM}
        sent[PANEL] = joined(sources, PANEL)
        self.version = _version(sent)
        self.modules = {name: _asset(rjsmin.jsmin(text)) for name, text in sent.items()}
        self.launcher = _asset(rjsmin.jsmin(_placed(sources[LAUNCHER], self.version)))

    async def get_launcher(self, request: web.Request) -> web.Response:
        """Answer for LAUNCHER_PATH."""
        if self.launcher.tag in request.headers.get("If-None-Match", ""):
            headers = {"Cache-Control": _SHORT, "ETag": self.launcher.tag, "Access-Control-Allow-Origin": "*"}
            return web.Response(status=304, headers=headers)
        return _answer(request, self.launcher, _SHORT)

    async def get_module(self, request: web.Request) -> web.Response:
        """Answer for MODULE_PATH."""
        asset = self.modules.get(request.match_info["name"])
        if asset is None:
            raise web.HTTPNotFound(text="the chat has no such file\n")
        is_this = request.match_info["version"] == self.version
        return _answer(request, asset, _FOREVER if is_this else "no-cache")


def _with_brief_styles(source: str) -> str:
    """Return a module whose style sheets, which are text to whoever knows JavaScript, are without blanks too."""
    return _STYLE.sub(lambda style: _BLANKS.sub(lambda found: found[1] or "", style[0]), source)


def brief(sources: dict[str, str]) -> dict[str, str]:
    """Return modules whose private fields and methods, which nobody can see from outside, have names of a letter or two."""
    named = Counter(each for text in sources.values() for each in _PRIVATE.findall(text))
    often = sorted(named, key=lambda name: (-named[name], name))
    short = {f"#{name}": f"#{_letters(number)}" for number, name in enumerate(often)}
    return {
        name: _NAMED.sub(lambda each: short.get(each[0], each[0]), text) for name, text in sources.items()
    }


def _letters(number: int) -> str:
    """Return g to z, then gg, gh, …: no colour is written like these."""
    first, second = divmod(number, 20)
    return f"{chr(103 + first - 1) if first else ''}{chr(103 + second)}"


def joined(sources: dict[str, str], entry: str) -> str:
    """Return a module and all that it imports as one, each after what it needs itself."""
    order: list[str] = []

    def visit(name: str) -> None:
        for needed in _IMPORT.findall(sources[name]):
            if needed not in order:
                visit(needed)
        order.append(name)

    visit(entry)
    parts = [_IMPORT.sub("", sources[name]) for name in order]
    inner = [part.replace("\nexport ", "\n").removeprefix("export ") for part in parts[:-1]]
    return "".join([*inner, parts[-1]])


def _sources() -> dict[str, str]:
    folder = resources.files("channels.webchat") / "widget"
    found = {each.name: each.read_text("utf-8") for each in folder.iterdir() if each.name.endswith(".js")}
    return dict(sorted(found.items()))


def _version(sources: dict[str, str]) -> str:
    digest = sha256()
    for name, text in sources.items():
        digest.update(f"{name}\0{text}\0".encode())
    return digest.hexdigest()[:16]


def _placed(launcher: str, version: str) -> str:
    """Write into the launcher where the rest is."""
    if _PATH not in launcher:
        raise RuntimeError(f"{LAUNCHER} has no line: {_PATH}")
    return launcher.replace(_PATH, f'const PATH = "assets/{version}/";')


def _asset(text: str) -> Asset:
    content = text.encode()
    tag = f'"{sha256(content).hexdigest()[:16]}"'
    return Asset(content, gzip.compress(content, 9, mtime=0), tag)


def _answer(request: web.Request, asset: Asset, cache: str) -> web.Response:
    headers = {**_HEADERS, "Cache-Control": cache, "ETag": asset.tag}
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        return web.Response(body=asset.packed, headers=headers | {"Content-Encoding": "gzip"})
    return web.Response(body=asset.content, headers=headers)
