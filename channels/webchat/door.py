"""Who may speak to a chat: pages of the account's origins, and of them whoever has a token. HTTP errors as the protocol says.

An Origin is looked at before anything else, for browsers alone: whoever is no browser can send any. What a token opens is
its own session and nothing else (channels.webchat.tokens).
"""

from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

from channels import contract, hooks
from channels.webchat import protocol, tokens
from channels.webchat.limits import network_of
from channels.webchat.settings import Options

PREFLIGHT_S = 7_200
SAID_EVERY_S = 60
_METHODS = "GET, POST, OPTIONS"
_HEADERS = "Authorization, Content-Type, Last-Event-ID"
_EXPOSED = "Retry-After, Content-Disposition"
_STATUS = {
    "unavailable": 503,
    "rate_limited": 429,
    "identity_required": 401,
    "blocked": 403,
    "contact_required": 409,
    "consent_required": 409,
}

Handler = Callable[[web.Request, Mapping[str, str]], Awaitable[web.StreamResponse]]


class Problem(Exception):
    """What a request is answered instead of what it asked for. failed: of the protocol."""

    def __init__(self, status: int, failed: protocol.Failed) -> None:
        super().__init__(failed.code)
        self.status, self.failed = status, failed


class Visitor:
    """Who speaks. session: of the token; address: of the peer, "" = not known. page, locale: as the page says.

    proven_until: Unix seconds until which the site's word for who they are counts, 0 = nobody vouches for them.
    """

    __slots__ = ("address", "locale", "page", "proven_until", "session")

    def __init__(self, session: str, address: str, *, locale: str = "", page: str = "") -> None:
        self.session, self.address, self.locale, self.page = session, address, locale, page
        self.proven_until = 0

    @property
    def peers(self) -> list[str]:
        """By what the desk may have blocked the address."""
        return list(dict.fromkeys((self.address, network_of(self.address)))) if self.address else []


class Door:
    """The door of one account."""

    def __init__(self, account: str, options: Options) -> None:
        self._account, self._options = account, options
        self._origins = frozenset(options.origins)
        self._hosts = frozenset(each.partition("://")[2] for each in options.origins)

    def opening(self, handler: Handler) -> hooks.Handler:
        """Return what answers pages of the account's origins, and refuses all others. handler: gets the headers to add."""

        async def answer(request: web.Request) -> web.StreamResponse:
            headers = self.headers_for(request)
            try:
                return await handler(request, headers)
            except Problem as problem:
                return _problem(problem.status, problem.failed, headers)
            except contract.Refused as refused:
                failed = protocol.failed(refused.answer)
                return _problem(_STATUS.get(failed.code, 400), failed, headers)
            except contract.Unavailable as error:
                return _problem(503, unavailable(error), headers)
            except hooks.Refused as error:
                code = "unavailable" if error.status == 408 else "bad_message"
                return _problem(error.status, protocol.Failed(code=code, text=error.said), headers)

        return answer

    async def preflight(self, request: web.Request, headers: Mapping[str, str]) -> web.Response:
        """Answer what a browser asks before it sends a token (Fetch standard §3.2.2, 2026-11)."""
        allowed = {
            "Access-Control-Allow-Methods": _METHODS,
            "Access-Control-Allow-Headers": _HEADERS,
            "Access-Control-Max-Age": str(PREFLIGHT_S),
        }
        return web.Response(status=204, headers={**headers, **allowed})

    def headers_for(self, request: web.Request) -> dict[str, str]:
        """Return what lets the page read the answer. Raises: hooks.Refused, 403, for a page of another site."""
        origins = request.headers.getall("Origin", [])
        if len(origins) == 1 and origins[0] in self._origins:
            return {
                "Access-Control-Allow-Origin": origins[0],
                "Access-Control-Expose-Headers": _EXPOSED,
                "Vary": "Origin",
            }
        # A page of our own origin sends no Origin with GET; this header no page can set.
        is_same = request.headers.getall("Sec-Fetch-Site", []) == ["same-origin"]
        if not origins and is_same and request.host in self._hosts:
            return {"Vary": "Origin"}
        raise hooks.Refused(403, "this chat is not for this site", reason="a page of another origin, or none")

    def visitor(self, request: web.Request) -> Visitor:
        """Return who asks, by the token. Raises: Problem, 401."""
        token = tokens.bearer(request.headers.get("Authorization"))
        if not token:
            raise Problem(401, protocol.Failed(code="bad_token", text="The token is missing, or is none."))
        return self.visitor_of(token, request)

    def visitor_of(self, token: str, request: web.Request) -> Visitor:
        """Return who has a token."""
        return Visitor(tokens.session_of(self._account, token), request.remote or "")


def unavailable(error: contract.Unavailable, about: str = "") -> protocol.Failed:
    """Say that it is our fault, and when to try again; why is the operator's."""
    return protocol.Failed(
        code="unavailable",
        text="Not now: please try again.",
        id=about,
        retry_after_s=max(1, min(error.retry_after_s, 60)),
    )


def _problem(status: int, failed: protocol.Failed, headers: Mapping[str, str]) -> web.Response:
    later = {} if failed.retry_after_s is None else {"Retry-After": str(failed.retry_after_s)}
    return web.Response(
        status=status,
        body=protocol.text_of(failed).encode(),
        content_type="application/json",
        headers={**headers, **later},
    )
