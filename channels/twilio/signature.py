"""Checks that a request is Twilio's: its X-Twilio-Signature, made with the account's auth token, over a URL of ours.

Two schemes, told apart by the body (twilio.com/docs/usage/webhooks/webhooks-security, checked 2026-11):

* a form: base64(HMAC-SHA1(token, URL + name + value + name + value …)), names in order, of a name that comes twice its
  different values in order; an empty form is the URL alone;
* anything else (JSON): the URL alone, whose query holds bodySHA256, the hex SHA-256 of the body.

Keys of one's own instead of the token (twilio.com/docs/usage/webhooks/webhook-shared-keys, a beta in 2026-11) are not known
here. Twilio signs the URL with or without the port, and which is not foretold, so both are tried. The scheme puts nothing
between a name and its value: who has a signed request can move a letter over that border. The message keeps its
MessageSid then, or loses its AccountSid; neither makes a second message.
"""

import base64
import functools
import hashlib
import hmac
from collections.abc import Iterable, Sequence
from urllib.parse import parse_qsl, unquote, urlsplit

HEADER = "X-Twilio-Signature"
SETTINGS_HEADER = "X-Twilio-Webhooks-Signature-Settings"
BODY_HASH = "bodySHA256"
FORM = "application/x-www-form-urlencoded"
MAX_FIELDS = 1_000

Fields = Sequence[tuple[str, str]]


def fields_of(body: bytes) -> list[tuple[str, str]]:
    """Read a form, blank values kept. Bytes that are no UTF-8 stay apart from each other as surrogates.

    Raises: ValueError when it has more than MAX_FIELDS.
    """
    text = body.decode("utf-8", "surrogateescape").replace("+", " ")
    if text.count("&") >= MAX_FIELDS:
        raise ValueError(f"a form of more than {MAX_FIELDS} fields")
    fields = []
    for part in text.split("&"):
        name, _, value = part.partition("=")
        if part:
            fields.append((_unquoted(name), _unquoted(value)))
    return fields


def _unquoted(text: str) -> str:
    return unquote(text, errors="surrogateescape") if "%" in text else text


def sign(url: str, fields: Fields, token: str) -> str:
    """Return the signature of a request to exactly this URL. fields: () when the body is not a form."""
    return _signed(url, _text_of(fields), token)


def is_valid(url: str, body: bytes | Fields, signature: str, *, tokens: Iterable[str]) -> bool:
    """Tell whether one of the tokens signed it; every one is compared, in constant time.

    url: the whole of it, as it was given to Twilio, with the query as it came. body: the fields of a form, else bytes.
    """
    fields: Fields = () if isinstance(body, bytes) else body
    has_body = not isinstance(body, bytes) or is_body_of(url, body)
    text, given = _text_of(fields), signature.encode("utf-8", "surrogateescape")
    is_one = False
    for token in tokens:
        for variant in variants(url):
            is_one |= hmac.compare_digest(_signed(variant, text, token).encode(), given)
    return is_one and has_body


def is_body_of(url: str, body: bytes) -> bool:
    """Tell whether the URL's query holds the hash of the body."""
    named = dict(reversed(parse_qsl(urlsplit(url).query))).get(BODY_HASH, "")
    expected = hashlib.sha256(body).hexdigest()
    return hmac.compare_digest(expected.encode(), named.encode("utf-8", "surrogateescape"))


def variants(url: str) -> tuple[str, str]:
    """Return the URL with a port and without one, all else as it is written.

    A literal IPv6 address keeps its port: no rule of Twilio's says how its URL would be written without one.
    """
    parts = urlsplit(url)
    if parts.port is None:
        port = 443 if parts.scheme == "https" else 80
        return _with_place(url, parts.netloc, f"{parts.netloc}:{port}"), url
    place = parts.netloc.rpartition(":")[0]
    return url, url if place.endswith("]") else _with_place(url, parts.netloc, place)


def _with_place(url: str, place: str, other: str) -> str:
    return url.replace(f"//{place}", f"//{other}", 1)


def _text_of(fields: Fields) -> str:
    if len({name for name, _ in fields}) == len(fields):
        return "".join([name + value for name, value in sorted(fields)])
    values: dict[str, set[str]] = {}
    for name, value in fields:
        values.setdefault(name, set()).add(value)
    return "".join(name + value for name in sorted(values) for value in sorted(values[name]))


def _signed(url: str, text: str, token: str) -> str:
    made = _keyed(token).copy()  # hmac.digest would give the interpreter's lock away for a microsecond's work
    made.update((url + text).encode("utf-8", "surrogateescape"))
    return base64.b64encode(made.digest()).decode()


@functools.lru_cache(maxsize=64)
def _keyed(token: str) -> hmac.HMAC:
    return hmac.new(token.encode(), digestmod="sha1")
