"""A request is Twilio's when its signature says so, over our own public URL: held against the twilio package."""

import hashlib
import itertools
import json
import random
import string
from collections.abc import Iterator
from urllib.parse import parse_qsl, urlencode

import pytest
from twilio.request_validator import RequestValidator

from channels.twilio import signature

TOKEN = "12345678901234567890123456789012"
OTHER = "22345678901234567890123456789012"
SID = "AC" + "0123456789abcdef" * 2
FORMS: tuple[dict[str, str | list[str]], ...] = (
    {},
    {
        "AccountSid": SID,
        "From": "+48600100200",
        "To": "+48221234567",
        "Body": "Dzień dobry — 👋",
        "NumMedia": "0",
    },
    {"b": "2", "a": "1", "A": "0", "aa": "", "": "unnamed"},
    {"MediaUrl0": ["https://x/2", "https://x/1"], "Body": ["same", "same"], "Z": ["", "z"]},
    {"Body": "a&b=c+d %2B\r\n\t", "ünï": "ł", "From": "whatsapp:+48600100200"},
)
BODIES = (b"", b"{}", json.dumps({"text": "zażółć 👋"}, ensure_ascii=False).encode())


class Multi(dict[str, str]):
    """A form with doubled names, as the package reads one."""

    def __init__(self, fields: list[tuple[str, str]]) -> None:
        super().__init__(fields)
        self._fields = fields

    def getall(self, name: str) -> list[str]:
        return [value for each, value in self._fields if each == name]


def fields_of(form: dict[str, str | list[str]]) -> list[tuple[str, str]]:
    return [
        (name, value)
        for name, values in form.items()
        for value in ([values] if isinstance(values, str) else values)
    ]


def urls() -> Iterator[str]:
    schemes = ("http", "https")
    places = (
        "help.example.com", "help.example.com:8443", "help.example.com:443", "help.example.com:80",
        "[2001:db8::1]", "[2001:db8::1]:8443", "user:secret@help.example.com",
    )  # fmt: skip
    prefixes = ("", "/intake", "/a/b%20c")
    queries = ("", "?n=1", "?b=2&a=1", "?a=1&b=2", "?a=1&a=2&c=", "?x=%C5%82&y=a+b")
    for scheme, place, prefix, query in itertools.product(schemes, places, prefixes, queries):
        yield f"{scheme}://{place}{prefix}/hooks/texts/message{query}"


def variants_of(url: str) -> tuple[str, ...]:
    """The URL as it stands, and as Twilio may have signed it."""
    scheme, _, rest = url.partition("://")
    usual = ":443" if scheme == "https" else ":80"
    place, slash, path = rest.partition("/")
    without = place.removesuffix(usual).removesuffix(":8443")
    found = (url, f"{scheme}://{without}{slash}{path}", f"{scheme}://{without}{usual}{slash}{path}")
    return tuple(dict.fromkeys((*found, f"{scheme}://wrong.example{slash}{path}")))


@pytest.mark.slow
def test_the_whole_matrix_of_forms_agrees_with_the_twilio_package() -> None:
    """Scheme, port, prefix, IPv6, query, doubled names and empty forms: the same verdict as RequestValidator's."""
    validator, compared, accepted = RequestValidator(TOKEN), 0, 0
    for url, form in itertools.product(urls(), FORMS):
        fields = fields_of(form)
        for signed in variants_of(url):
            given = validator.compute_signature(signed, Multi(fields))
            expected = validator.validate(url, Multi(fields), given)
            found = signature.is_valid(url, list(reversed(fields)), given, tokens=(OTHER, TOKEN))
            assert found == expected, (url, signed, form)
            compared, accepted = compared + 1, accepted + found
    assert compared > 3_000
    assert compared * 0.3 < accepted < compared


@pytest.mark.slow
def test_the_whole_matrix_of_json_agrees_with_the_twilio_package() -> None:
    validator, compared = RequestValidator(TOKEN), 0
    for url, body, posted in itertools.product(urls(), BODIES, BODIES):
        mark = "&" if "?" in url else "?"
        whole = f"{url}{mark}bodySHA256={hashlib.sha256(body).hexdigest()}"
        for signed in variants_of(whole):
            given = validator.compute_signature(signed, {})
            expected = validator.validate(whole, posted.decode(), given)
            assert signature.is_valid(whole, posted, given, tokens=(TOKEN,)) == expected, (whole, signed)
            compared += 1
    assert compared > 3_000


def test_json_without_a_hash_of_it_is_not_believed() -> None:
    url = "https://help.example.com/hooks/texts/message"
    given = signature.sign(url, (), TOKEN)
    assert not signature.is_valid(url, b'{"a": 1}', given, tokens=(TOKEN,))


def test_what_we_sign_the_package_believes() -> None:
    url, fields = "https://help.example.com:8443/hooks/texts/message?n=1", fields_of(FORMS[1])
    assert RequestValidator(TOKEN).validate(url, Multi(fields), signature.sign(url, fields, TOKEN))


def test_without_a_token_nothing_is_believed() -> None:
    url = "https://help.example.com/"
    assert not signature.is_valid(url, (), signature.sign(url, (), ""), tokens=())


def test_an_old_token_is_believed_beside_the_new_one() -> None:
    url = "https://help.example.com/"
    for token in (TOKEN, OTHER):
        assert signature.is_valid(url, (), signature.sign(url, (), token), tokens=(OTHER, TOKEN))


def test_bytes_that_are_no_utf_8_stay_apart() -> None:
    """What is read with replacements would give two bodies one signature."""
    url = "https://help.example.com/"
    given = signature.sign(url, signature.fields_of(b"Body=%ff"), TOKEN)
    assert signature.is_valid(url, signature.fields_of(b"Body=%ff"), given, tokens=(TOKEN,))
    assert not signature.is_valid(url, signature.fields_of(b"Body=%fe"), given, tokens=(TOKEN,))
    assert not signature.is_valid(url, signature.fields_of(b"Body=\xfe"), given, tokens=(TOKEN,))


def test_a_form_is_read_as_the_standard_library_reads_it() -> None:
    dice = random.Random(61)
    pieces = [
        b"&", b"=", b"+", b"%", b"%41", b"%C5%82", b"%ff", b"a", b"B", b" ", b";", "ł".encode(), b"\xff", b"%zz", b"&&", b"\0",
    ]  # fmt: skip
    for _ in range(5_000):
        body = b"".join(dice.choices(pieces, k=dice.randint(0, 12)))
        text = body.decode("utf-8", "surrogateescape")
        assert signature.fields_of(body) == parse_qsl(text, keep_blank_values=True, errors="surrogateescape")


def test_a_form_of_too_many_fields_is_refused() -> None:
    assert len(signature.fields_of(b"&".join([b"a="] * signature.MAX_FIELDS))) == signature.MAX_FIELDS
    with pytest.raises(ValueError, match="1000"):
        signature.fields_of(b"&".join([b"a="] * (signature.MAX_FIELDS + 1)))


# -- mutants ----------------------------------------------------------------------------------------------------

ALPHABET = string.ascii_letters + string.digits + "+/=&%?:#. é"
URL = "https://help.example.com:8443/intake/hooks/texts/message?n=1&t=a"
FIELDS = [
    ("AccountSid", SID),
    ("MessageSid", "SM" + "f" * 32),
    ("From", "+48600100200"),
    ("To", "+48221234567"),
    ("Body", "Hello, my printer is on fire"),
    ("NumMedia", "0"),
]
Request = tuple[str, tuple[tuple[str, str], ...], str]
VALID: Request = (URL, tuple(FIELDS), signature.sign(URL, FIELDS, TOKEN))


def edited(text: str, source: random.Random) -> str:
    """One character of a text changed, put in, taken out or exchanged with its neighbour."""
    at = source.randrange(len(text) or 1)
    return source.choice(
        (
            text[:at] + source.choice(ALPHABET) + text[at + 1 :],
            text[:at] + source.choice(ALPHABET) + text[at:],
            text[:at] + text[at + 1 :],
            text[:at] + text[at + 1 : at + 2] + text[at : at + 1] + text[at + 2 :],
            text[:at] + text[at : at + 1].swapcase() + text[at + 1 :],
            text[:at],
        )
    )


def with_other_url(request: Request, source: random.Random) -> Request:
    return edited(request[0], source), request[1], request[2]


def with_other_value(request: Request, source: random.Random) -> Request:
    fields = list(request[1])
    at = source.randrange(len(fields))
    fields[at] = (fields[at][0], edited(fields[at][1], source))
    return request[0], tuple(fields), request[2]


def with_other_name(request: Request, source: random.Random) -> Request:
    fields = list(request[1])
    at = source.randrange(len(fields))
    fields[at] = (edited(fields[at][0], source), fields[at][1])
    return request[0], tuple(fields), request[2]


def with_other_fields(request: Request, source: random.Random) -> Request:
    """A field is gone, new, has another's value, or stands in the query."""
    fields, url = list(request[1]), request[0]
    at, other = source.sample(range(max(len(fields), 2)), 2)
    if max(at, other) >= len(fields):
        return request
    kind = source.randrange(4)
    if kind == 0:
        del fields[at]
    elif kind == 1:
        fields.append((source.choice(ALPHABET), source.choice(ALPHABET)))
    elif kind == 2:
        fields[at], fields[other] = (fields[at][0], fields[other][1]), (fields[other][0], fields[at][1])
    else:
        name, value = fields.pop(at)
        url = f"{url}&{urlencode({name: value})}"
    return url, tuple(fields), request[2]


def with_other_signature(request: Request, source: random.Random) -> Request:
    given = request[2]
    changed = source.choice(
        (edited(given, source), given.lower(), given.upper(), given + " ", given[::-1], "", given.rstrip("="))
    )
    return request[0], request[1], changed


def with_other_token(request: Request, source: random.Random) -> Request:
    token = edited(TOKEN, source)
    return request[0], request[1], signature.sign(*request[:2], OTHER if token == TOKEN else token)


MUTATIONS = (
    with_other_url,
    with_other_value,
    with_other_name,
    with_other_fields,
    with_other_signature,
    with_other_token,
)


def refused(count: int, *, seed: int) -> int:
    """How many of so many different mutants are refused; all of them are, or the test fails.

    Where the package believes a mutant it is one of those that the scheme cannot tell apart: the same text is signed.
    """
    source, seen, same, validator = random.Random(seed), {VALID}, 0, RequestValidator(TOKEN)
    while len(seen) <= count:
        mutant = VALID
        for _ in range(source.choice((1, 1, 2, 3))):  # there are not that many with one change
            mutant = source.choice(MUTATIONS)(mutant, source)
        if mutant in seen:
            continue
        url, fields, given = mutant
        try:
            if validator.validate(url, Multi(list(fields)), given):
                same += 1
                continue
        except ValueError:  # a port that is no number: nobody configures that
            continue
        seen.add(mutant)
        assert not signature.is_valid(url, fields, given, tokens=(TOKEN,)), mutant
    assert same < count * 0.02
    return len(seen) - 1


@pytest.mark.slow
def test_ten_thousand_mutants_of_a_request_are_refused() -> None:
    assert refused(10_000, seed=1) == 10_000


@pytest.mark.slow
def test_a_hundred_thousand_mutants_of_a_request_are_refused() -> None:
    assert refused(100_000, seed=2) == 100_000


def test_every_change_of_a_single_character_is_refused() -> None:
    """Each character of URL, form and signature, replaced by one that is not it."""
    count = 0
    for at, was in enumerate(VALID[0]):
        for new in "aB9/=&?é":
            if new != was:
                url = VALID[0][:at] + new + VALID[0][at + 1 :]
                try:
                    found = signature.is_valid(url, VALID[1], VALID[2], tokens=(TOKEN,))
                except ValueError:
                    continue
                assert not found, url
                count += 1
    for at, was in enumerate(VALID[2]):
        for new in ALPHABET:
            changed = VALID[2][:at] + new + VALID[2][at + 1 :]
            assert new == was or not signature.is_valid(VALID[0], VALID[1], changed, tokens=(TOKEN,))
            count += 1
    body = urlencode(VALID[1])
    for at, new in itertools.product(range(len(body)), "aB9=&+%"):
        fields = parse_qsl(body[:at] + new + body[at + 1 :], keep_blank_values=True)
        if sorted(fields) != sorted(VALID[1]):
            assert not signature.is_valid(VALID[0], fields, VALID[2], tokens=(TOKEN,)), fields
            count += 1
    assert count > 3_000


def test_a_letter_that_moves_from_a_value_to_its_name_is_a_known_gap_of_the_scheme() -> None:
    """Both sides agree, because Twilio's text has no border there; the message's SID is its own all the same."""
    moved = [*VALID[1][:4], ("BodyH", "ello, my printer is on fire"), VALID[1][5]]
    assert signature.is_valid(URL, moved, VALID[2], tokens=(TOKEN,))
    assert RequestValidator(TOKEN).validate(URL, Multi(moved), VALID[2])
