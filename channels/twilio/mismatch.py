"""Says why a signature of Twilio's is wrong: which part of what was signed is not what we think it is.

Almost always public_url is not the URL that Twilio was given, or a proxy rewrites the request. So the signature is tried
over the likely other forms, and the one that fits is named. Nothing that is found here lets a request in. What only the
request says (its Host) is told only when a signature with our token covers it.
"""

import itertools
import time
from collections.abc import Callable, Iterator
from urllib.parse import parse_qsl, urlsplit

import msgspec

from channels.twilio import settings, signature

SOUGHT_EVERY_S = 10.0  # a search costs some milliseconds, and anybody may post forgeries
SEARCHED_BYTES = 8_000_000  # hashed in one search, some 10 ms; a text has 2 KB, and all forms of it are tried
_MAX_HOST_CHARS = 255


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """A request whose signature is wrong. url: what should have been signed; fields: None = the body is no form.

    given: the values of the header. host: of the request, believed in nothing else. is_shared_key: Twilio says that it
    was signed with a key of another kind.
    """

    url: str
    body: bytes
    fields: list[tuple[str, str]] | None
    given: tuple[str, ...]
    host: str = ""
    is_shared_key: bool = False


class Seeker:
    """Looks for the reason, of one account. clock: monotonic s."""

    def __init__(
        self, account: str, options: settings.Options, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._account, self._options, self._clock = account, options, clock
        self._sought_at: float | None = None
        self._found = ""

    def reason(self, seen: Seen) -> str:
        """Return one sentence for the operator's log, without a secret; the same request gets the same one."""
        plain = self._plain_reason(seen)
        if plain:
            return plain
        now = self._clock()
        if self._sought_at is None or now - self._sought_at >= SOUGHT_EVERY_S:
            self._sought_at, self._found = now, found(seen, self._options)
        return self._found

    def _plain_reason(self, seen: Seen) -> str:
        """Return what needs no search, "" when one is needed."""
        if not self._options.tokens:
            return "no auth_token is configured, so nothing can be believed: set it to the one of Twilio's console"
        if not seen.given:
            return f"a request came without {signature.HEADER}: not from Twilio, or a proxy drops the header"
        if len(seen.given) > 1:
            return f"a request came with {signature.HEADER} twice"
        if seen.is_shared_key:
            return "the request is signed with a shared key, which is not supported: sign webhooks with the auth token"
        if not self._options.public_url:
            return "no public_url is configured: set http.public_url to the URL at which Twilio reaches this daemon"
        return ""


def found(seen: Seen, options: settings.Options) -> str:
    """Return the sentence about the first other form that the signature fits, or about there being none."""
    tokens = tuple(dict.fromkeys((*options.tokens, *(token.strip() for token in options.tokens))))
    most = SEARCHED_BYTES // max(1, (len(seen.body) + len(seen.url)) * len(tokens) * 2)
    for url, fields, differs in itertools.islice(_forms(seen, options), max(1, most)):
        if signature.is_valid(url, fields, seen.given[0], tokens=tokens):
            return _sentence(differs, url, options)
    sid = dict(seen.fields or []).get("AccountSid", options.account_sid)
    if sid != options.account_sid and sid.isalnum():
        return f"the request is of the Twilio account {sid[:34]}, and account_sid is {options.account_sid}"
    if seen.fields is None and signature.BODY_HASH not in seen.url:
        return f"the request's body is no form, and its URL has no {signature.BODY_HASH}"
    return (
        "the signature fits no URL like public_url: the auth_token is not that of "
        f"{options.account_sid}, or a proxy has changed the body or the query"
    )


def _sentence(differs: tuple[str, ...], url: str, options: settings.Options) -> str:
    if not differs:
        return "auth_token has blanks around it: take them away"
    what = " and ".join(differs)
    if set(differs) <= {"body", "query", "path"}:
        return f"the {what} of a request was changed on its way to us: look at the proxy in between"
    verb = "differs" if len(differs) == 1 else "differ"
    return f"the {what} {verb}: Twilio signed {_shown(url)}, and public_url is {_shown(options.public_url)}"


def _forms(seen: Seen, options: settings.Options) -> Iterator[tuple[str, signature.Fields, tuple[str, ...]]]:
    """Yield URLs and fields, the likely ones first, with the names of the parts that are not as configured."""
    combined = itertools.product(
        _schemes(seen), _places(seen), _paths(seen, options), _queries(seen), _bodies(seen)
    )
    for choice in sorted(combined, key=lambda each: sum(bool(name) for _, name in each)):
        (scheme, _), (place, _), (path, _), (query, _), (fields, _) = choice
        differs = tuple(name for _, name in choice if name)
        yield f"{scheme}://{place}{path}{query}", fields, differs


def _schemes(seen: Seen) -> list[tuple[str, str]]:
    scheme = urlsplit(seen.url).scheme
    return [(scheme, ""), ("http" if scheme == "https" else "https", "scheme")]


def _places(seen: Seen) -> list[tuple[str, str]]:
    """The host as configured, in small letters, and as the request says; and a port that only the request knows."""
    own = urlsplit(seen.url)
    given = seen.host if len(seen.host) <= _MAX_HOST_CHARS and seen.host.isascii() else ""
    name, _, port = given.rpartition(":") if not given.endswith("]") else (given, "", "")
    others = {own.netloc.lower(): "host", given: "host", (own.hostname or "").lower(): "host"}
    if port.isdigit() and name:
        others |= {f"{own.hostname}:{port}": "port", name: "host"}
    others.pop("", None)
    others.pop(own.netloc, None)
    return [(own.netloc, ""), *others.items()]


def _paths(seen: Seen, options: settings.Options) -> list[tuple[str, str]]:
    path = urlsplit(seen.url).path
    prefix = urlsplit(options.public_url).path.rstrip("/")
    others = {path.removeprefix(prefix): "path prefix"}
    for each in (path, path.removeprefix(prefix)):
        others[each.removesuffix("/") if each.endswith("/") else f"{each}/"] = "final slash"
    others.pop(path, None)
    return [(path, ""), *others.items()]


def _queries(seen: Seen) -> list[tuple[str, str]]:
    query = urlsplit(seen.url).query
    return [(f"?{query}", ""), ("", "query")] if query else [("", "")]


def _bodies(seen: Seen) -> list[tuple[signature.Fields, str]]:
    """The fields as we read them, and as something in between may have left or made them."""
    if seen.fields is None:
        return [((), "body")]
    text = seen.body.decode("latin-1")
    others: list[signature.Fields] = [
        [(name, value) for name, value in seen.fields if value],
        [(name, value.strip()) for name, value in seen.fields],
        [(name, value.replace("\n", "\r\n")) for name, value in seen.fields],
        parse_qsl(text, keep_blank_values=True, encoding="latin-1"),
        (),
    ]
    return [(seen.fields, ""), *((each, "body") for each in others if each != seen.fields)]


def _shown(url: str) -> str:
    """Return the URL without its query, and without a name and password in it."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="").geturl()
