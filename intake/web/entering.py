"""What a browser is given when its owner has signed in, and what it is known by when it tries.

Both cookies are HttpOnly, SameSite=Strict and, over https, Secure with the prefix __Host- (OWASP ASVS 5.0 rows 3.3.1 to
3.3.4, 2026-11). That of the session ends with the browser; the other lets nobody in: it names a browser that somebody has
signed in with before, whose tries are counted apart (intake.signing_in).
"""

from collections.abc import Callable
from typing import Literal
from urllib.parse import quote, unquote

from aiohttp import web

from intake import signing_in
from intake.model import Context
from intake.signing_in import Try
from intake.web.guard import Guard
from intake.web.guesses import Networks, asker

DEVICE_S = 180 * 86_400
_STRICT: Literal["Strict"] = "Strict"


class Entering:
    """Gives and takes cookies. proxies: those that are believed who asks."""

    def __init__(self, context: Callable[[], Context], guard: Guard, *, proxies: Networks = ()) -> None:
        self._context, self._guard, self._proxies = context, guard, proxies
        self._device_cookie = "__Host-intake-browser" if guard.is_secure else "intake-browser"

    def by(self, request: web.Request) -> Try:
        """Return who tries."""
        return Try(
            client=asker(request, self._proxies),
            device=unquote(request.cookies.get(self._device_cookie, "")),
            browser=request.headers.get("User-Agent", ""),
        )

    def entered(self, token: str, after: str, *, name: str, is_half: bool = False) -> web.Response:
        """Send somebody on, with the cookie of their session. is_half: a code is still to come."""
        answer = moved(after)
        self.keep(answer, token)
        if not is_half:
            known = quote(signing_in.device(self._context().keys, name), safe="")
            self._set(answer, self._device_cookie, known, max_age=DEVICE_S)
        return answer

    def keep(self, answer: web.Response, token: str) -> None:
        """Have the browser keep a session."""
        self._set(answer, self._guard.cookie, token, max_age=None)

    def forget(self, answer: web.Response) -> None:
        """Have the browser drop its session."""
        answer.del_cookie(
            self._guard.cookie, secure=self._guard.is_secure, httponly=True, samesite=_STRICT, path="/"
        )

    def _set(self, answer: web.Response, name: str, value: str, *, max_age: int | None) -> None:
        secure = self._guard.is_secure
        answer.set_cookie(
            name, value, max_age=max_age, httponly=True, samesite=_STRICT, secure=secure, path="/"
        )


def moved(path: str) -> web.Response:
    """Send a browser to another page of ours, by GET."""
    return web.Response(status=303, headers={"Location": path})
