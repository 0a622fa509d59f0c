"""Whether a request comes from a page of ours: its Origin stands in a list, and the browser says that it is the same site.

A missing Origin, `null` and every other are refused: browsers send it with every unsafe request (Fetch Standard,
"append a request Origin header", 2026-11), except for pages whose Referrer-Policy is no-referrer, which ours are not.
Where we listen on loopback alone, its names are ours as well: no name server can make another site be called so.
"""

from urllib.parse import urlsplit

from aiohttp import web

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def of_url(url: str) -> str:
    """Return the origin of a URL as browsers write it (RFC 6454 §6.2): no path, no port that goes without saying."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
    usual = {"http": 80, "https": 443}.get(parts.scheme)
    port = "" if parts.port in (None, usual) else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}"


def refusal(request: web.Request, own: frozenset[str]) -> str | None:
    """Return why an unsafe request, or a WebSocket, is not taken; None = it is ours. own: the origins that we are."""
    origins = request.headers.getall("Origin", [])
    if len(origins) != 1:
        return "the request does not say which page it comes from"
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    if site != "same-origin" or not _is_own(request, origins[0], own):
        said = "" if own else "; if it is ours, http.public_url has to say so"
        return f"the request comes from a page of another site{said}"
    return None


def _is_own(request: web.Request, origin: str, own: frozenset[str]) -> bool:
    if origin in own:
        return True
    scheme = "https" if request.secure else "http"
    try:
        is_loopback = urlsplit(origin).hostname in LOOPBACK
    except ValueError:
        return False
    return is_loopback and origin == f"{scheme}://{request.host}"
