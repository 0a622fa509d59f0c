"""What somebody hears whose request is not taken: JSON for a script, a short page for a browser, one sentence either way."""

import html
from urllib.parse import quote

import msgspec
from aiohttp import web

SIGN_IN = "/sign-in"
ACCOUNT = "/account"
RETRY_AFTER_S = 5
NOT_FOUND = "There is no such page, or it is not yours to see."
FORBIDDEN = "That is not yours to do."
FORGED = "This was not sent from a page of yours: open the page once more and try again."
SIGNED_OUT = "You are signed out. Nothing was changed: sign in, then do it once more."
ENROL = "Set up your second factor first: the page of your account shows how."
BROKEN = "That did not work, and the fault is ours. Whoever runs this finds the reason in the log."
LATER = "That cannot be done at the moment. Nothing was changed: try again in a few seconds."
_PAGE = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    '{head}<title>{title}</title><main><h1>{title}</h1><p><a href="{href}">{link}</a></p></main></html>'
)
_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_HEADERS = {"Content-Security-Policy": _POLICY, "Cache-Control": "no-store", "Vary": "Accept, Cookie"}


class Refused(Exception):
    """The request is not taken. status: HTTP's; sentence: for whoever asked; reason: for the operator's log."""

    def __init__(self, status: int, sentence: str, *, reason: str = "") -> None:
        super().__init__(reason or sentence)
        self.status, self.sentence = status, sentence


def answer(request: web.Request, status: int, sentence: str) -> web.Response:
    """Say it as the asker reads it."""
    if not wants_page(request):
        return web.json_response({"error": {"text": sentence}}, status=status, dumps=_dumped)
    return _page(sentence, status=status, href="/", link="To the list of tickets")


def later(request: web.Request) -> web.Response:
    """Say that a fault of ours will pass."""
    said = answer(request, 503, LATER)
    said.headers["Retry-After"] = str(RETRY_AFTER_S)
    return said


def signed_out(request: web.Request) -> web.Response:
    """Send somebody without a session to sign in, and back to where they were going."""
    if request.method not in ("GET", "HEAD") or not wants_page(request):
        if not wants_page(request):
            return answer(request, 401, SIGNED_OUT)
        return _page(SIGNED_OUT, status=401, href=SIGN_IN, link="Sign in")
    if _came_from_elsewhere(request):
        return _once_more(request)
    where = f"{SIGN_IN}?next={quote(request.path_qs, safe='')}"
    return web.Response(status=303, headers={"Location": where, "Cache-Control": "no-store"})


def to_account(request: web.Request) -> web.Response:
    """Send somebody who has to set up a second factor to where that is done."""
    if wants_page(request) and request.method in ("GET", "HEAD"):
        raise web.HTTPSeeOther(ACCOUNT)
    return answer(request, 403, ENROL)


def wants_page(request: web.Request) -> bool:
    """Whether a person looks at the answer. Scripts of ours ask for JSON, or for events."""
    return "text/html" in request.headers.get("Accept", "")


def own_path(text: str) -> str:
    """Return a path of ours that somebody may be sent to, "/" where it is anything else (an open redirect)."""
    is_path = text.startswith("/") and not text.startswith(("//", "/\\"))
    return text if is_path and text.isprintable() and "\\" not in text else "/"


def _came_from_elsewhere(request: web.Request) -> bool:
    is_navigation = request.headers.get("Sec-Fetch-Mode") == "navigate"
    return is_navigation and request.headers.get("Sec-Fetch-Site") in ("cross-site", "same-site")


def _once_more(request: web.Request) -> web.Response:
    """Have the browser ask again from a page of ours, so that it sends the cookie that it left at home."""
    path = html.escape(own_path(request.path_qs))
    head = f'<meta http-equiv="refresh" content="0;url={path}">'
    return _page("One moment", status=200, href=path, link="Go on", head=head)


def _page(title: str, *, status: int, href: str, link: str, head: str = "") -> web.Response:
    text = _PAGE.format(title=html.escape(title), href=html.escape(href, quote=True), link=link, head=head)
    return web.Response(text=text, status=status, content_type="text/html", headers=_HEADERS)


def _dumped(value: object) -> str:
    return msgspec.json.encode(value).decode()
