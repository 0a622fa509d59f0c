"""Links, tokens and codes that we did not make: ten thousand of each kind, and every bit of a good one flipped. None counts."""

import itertools
import random
import string
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from intake import (
    chat_links,
    feed_links,
    file_links,
    invitations,
    notice_links,
    refs,
    second_factor,
    signing_in,
    web_sessions,
)
from intake.notice_links import Link
from intake.store import schema
from intake.web import csrf
from intake.web.access import Who
from tests.conftest import ManualClock
from tests.web.site import Site, open_site

FORGED = 10_000
WHO = Who(kind="agent", name="ania", session="a" * 26)
NOTICE = Link(
    purpose="ack", ref=refs.ref_from_number(17, b"k" * 32), agent="marek", notice=17, until_s=4_000_000_000
)
DIGEST = "5e" * 32


class Kind(msgspec.Struct, frozen=True):
    """Something that proves something. good: one that we made; counts: whether one is believed."""

    good: Callable[[Site], str]
    counts: Callable[[Site, str], bool]


def _invited(site: Site) -> str:
    token = invitations.new_token()
    site.store.write_now(
        lambda tx: invitations.make(
            tx, site.keys, token=token, name="ewa", role="agent", hours=1, by="system"
        )
    )
    return token


def _recovery_code(site: Site) -> str:
    codes = second_factor.new_codes()

    def make(tx: Any) -> None:
        tx.update(schema.credentials, {"name": "ania"}, totp_salt="x")
        second_factor.renew_codes(tx, site.keys, "ania", codes, by="system")

    site.store.write_now(make)
    return codes[3].replace("-", "")


def _is_recovery_code(site: Site, given: str) -> bool:
    """Look, without using it up."""
    known_by = second_factor._code_hash(site.keys, given)
    rows = site.store.read_now(lambda tx: tx._execute("SELECT code FROM recovery_codes", ()).fetchall())
    return (known_by,) in rows


KINDS = {
    "session": Kind(
        lambda site: site.session("ania"),
        lambda site, given: (
            site.store.read_now(lambda tx: web_sessions.find(tx, web_sessions.hashed(site.keys, given)))
            is not None
        ),
    ),
    "invitation": Kind(
        _invited,
        lambda site, given: (
            site.store.read_now(lambda tx: invitations.find(tx, site.keys, given)) is not None
        ),
    ),
    "recovery code": Kind(_recovery_code, _is_recovery_code),
    "form": Kind(
        lambda site: csrf.word(site.keys, WHO), lambda site, given: csrf.is_good(site.keys, WHO, given)
    ),
    "browser": Kind(
        lambda site: signing_in.device(site.keys, "ania"),
        lambda site, given: signing_in.is_device_of(site.keys, given, "ania"),
    ),
    "notice": Kind(
        lambda site: notice_links.path(site.keys, NOTICE).rpartition("/")[2],
        lambda site, given: notice_links.read(site.keys, "ack", given) is not None,
    ),
    "file": Kind(
        lambda site: file_links.urls(site.keys, "", 17, count=1, now_us=site.store.now_us())[0].rpartition(
            "/"
        )[2],
        lambda site, given: file_links.signed(site.keys, given, now_us=site.store.now_us()) is not None,
    ),
    "calendar": Kind(
        lambda site: (
            site.store.read_now(lambda tx: feed_links.path(tx, site.keys, "agent", "ania"))
            .rpartition("/")[2]
            .removesuffix(".ics")
        ),
        lambda site, given: feed_links.signed(site.keys, given) is not None,
    ),
    "chat": Kind(
        lambda site: chat_links.token(site.keys, f"chat:shop:{DIGEST}", now_us=site.store.now_us()),
        lambda site, given: (
            chat_links.session_of(site.keys, "shop", given, now_us=site.store.now_us()) is not None
        ),
    ),
}


@pytest.fixture
async def site(tmp_path: Path, clock: ManualClock, new_store: bytes) -> AsyncIterator[Site]:
    async with open_site(tmp_path, clock, new_store=new_store) as opened:
        opened.add("ania")
        yield opened


def flipped(good: str) -> Iterator[str]:
    """Every text that differs from it in one bit of one character."""
    for at, character in enumerate(good):
        for bit in range(8):
            yield f"{good[:at]}{chr(ord(character) ^ 1 << bit)}{good[at + 1 :]}"


def forged(good: str, others: list[str], dice: random.Random) -> Iterator[str]:
    """Texts of the same shape: other characters, other signatures, parts of other good ones, cut, doubled, spelt otherwise."""
    alphabet = string.ascii_lowercase + string.digits
    yield from (
        "",
        good[:-1],
        good + "a",
        good.upper(),
        f" {good}",
        f"{good}\n",
        good * 2,
        good.swapcase(),
        "." * 5,
    )
    yield from (f"{good[:at]}0{good[at:]}" for at in range(len(good)))  # the same numbers, spelt otherwise
    yield from (good.replace(one, other) for one, other in itertools.permutations("1li0o", 2))
    yield from others
    yield from (
        f"{good[:cut]}{other[cut:]}" for other in others for cut in range(1, min(len(good), len(other)))
    )
    while True:
        count = dice.choice((1, 2, 3, 26, len(good)))
        places = set(dice.sample(range(len(good)), min(count, len(good))))
        yield "".join(dice.choice(alphabet) if at in places else each for at, each in enumerate(good))


@pytest.mark.parametrize("kind", list(KINDS))
async def test_no_bit_of_it_may_differ(site: Site, kind: str) -> None:
    proof = KINDS[kind]
    good = proof.good(site)
    assert proof.counts(site, good)
    assert [each for each in flipped(good) if proof.counts(site, each)] == []


@pytest.mark.slow
@pytest.mark.parametrize("kind", list(KINDS))
async def test_none_of_ten_thousand_forged_ones_counts(site: Site, kind: str) -> None:
    """Good ones of every other kind and of another house among them."""
    proof = KINDS[kind]
    good = proof.good(site)
    others = [each.good(site) for name, each in KINDS.items() if name not in (kind, "recovery code")]
    tries = itertools.islice(forged(good, others, random.Random(kind)), FORGED)
    assert [each for each in tries if each != good and proof.counts(site, each)] == []


async def test_what_another_house_signed_counts_for_nothing(
    tmp_path: Path, clock: ManualClock, new_store: bytes, site: Site
) -> None:
    """The same words, signed with the keys of another data folder."""
    (tmp_path / "other").mkdir()
    async with open_site(tmp_path / "other", clock, new_store=new_store) as other:
        other.add("ania")
        for name, kind in KINDS.items():
            assert not kind.counts(site, kind.good(other)), name


@pytest.mark.slow
async def test_over_http_no_bit_of_a_cookie_may_differ(site: Site) -> None:
    """Each asks for a page that the good one opens."""
    good = site.session("ania")
    assert (await site.browser(good).ask("GET", "/account"))[0] == 200
    browser = site.browser()
    cookies = [
        each
        for each in flipped(good)
        if each.isascii() and each.isprintable() and not set(each) & set('";,\\ ')
    ]
    assert len(cookies) > 200
    for each in cookies:
        status, _, _ = await browser.ask("GET", "/account", headers={"Cookie": f"{site.guard.cookie}={each}"})
        assert status == 401, each


async def test_a_form_without_the_word_of_its_session_is_not_taken(site: Site) -> None:
    """Nor with the word of another session, or of one before."""
    site.add("ewa")
    browser, other = site.browser(site.session("ania")), site.browser(site.session("ewa"))
    before = site.browser(site.session("ania"))
    for given in ("", "x", other.csrf, before.csrf, *list(flipped(browser.csrf))[::17]):
        if given.isascii() and given.isprintable():
            browser_status = await browser.ask(
                "POST", "/account/sessions/end-others", headers={"csrf": given}
            )
            assert browser_status[0] == 403, given
    assert (await other.ask("GET", "/account"))[0] == 200
    field = {"csrf": browser.csrf}
    status, _, _ = await browser.ask("POST", "/account/sessions/end-others", headers={"csrf": ""}, data=field)
    assert status == 403  # a header that is there and empty is wrong, whatever the form says
