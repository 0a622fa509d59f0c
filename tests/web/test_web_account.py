"""What a stolen session, an old link or a crowd behind one address gets out of passwords and codes: nothing, and no one is kept out."""

from collections.abc import AsyncIterator
from pathlib import Path

import pyotp
import pytest

from intake import counters, credentials, invitations, second_factor, signing_in
from intake.credentials import CredentialError
from intake.passwords import Hasher
from intake.signing_in import SigningIn, Try
from intake.store.engine import Tx
from tests.conftest import ManualClock
from tests.web.site import PASSWORD, Site, open_site
from tests.web.test_web_sign_in import sign_in, try_in_vain

NEW = "an umbrella for seven herons"


@pytest.fixture
async def site(tmp_path: Path, clock: ManualClock, new_store: bytes) -> AsyncIterator[Site]:
    async with open_site(tmp_path, clock, new_store=new_store) as opened:
        opened.add("ania")
        yield opened


async def test_a_stolen_session_guesses_a_password_ten_times_from_wherever_it_comes(site: Site) -> None:
    """Another network, and another browser as its cookie says, begin no count anew."""
    token = site.session("ania")

    def use_up(tx: Tx) -> None:
        for _ in range(signing_in.PER_PAIR - 1):
            counters.take(
                tx, "own password", "ania", limit=signing_in.PER_PAIR, window_us=signing_in.WINDOW_US
            )

    site.store.write_now(use_up)
    said = []
    for number, password in enumerate(("wrong", PASSWORD)):
        thief = site.browser(token, **{"intake-browser": f"thief{number}"})
        headers = {"X-Forwarded-For": f"198.51.{number}.1"}
        said.append(
            (await thief.ask("POST", "/account/second-factor", data={"current": password}, headers=headers))[
                1
            ]
        )
    assert "The password is not right." in said[0]
    assert "Too many tries." in said[1]


@pytest.mark.slow
async def test_a_new_password_puts_out_whoever_has_the_cookie_of_before(site: Site) -> None:
    """Who changes it fears that very thing; their own browser goes on with another cookie."""
    stolen = site.session("ania")
    browser = site.browser(stolen)
    data = {"current": PASSWORD, "password": NEW, "again": NEW}
    assert (await browser.ask("POST", "/account/password", data=data))[0] == 303
    assert (await site.browser(stolen).ask("GET", "/account"))[0] == 401
    assert (await browser.ask("GET", "/account"))[0] == 200


async def test_a_link_to_choose_a_password_ends_with_a_new_one_and_with_being_put_out(site: Site) -> None:
    """Else it would open, for three days, what its owner has just closed."""
    endings = (
        lambda tx: credentials.set_password(tx, "ania", "a hash", by="system"),
        lambda tx: credentials.disable(tx, "ania", by="system"),
    )
    for end in endings:
        token = invitations.new_token()
        site.store.write_now(
            lambda tx, token=token: invitations.invite(  # type: ignore[misc]
                tx, site.context, "ania", None, token=token, hours=72, by="system"
            )
        )
        assert (await site.browser().ask("GET", invitations.path(token)))[0] == 200
        site.store.write_now(end)
        assert (await site.browser().ask("GET", invitations.path(token)))[0] == 404


@pytest.mark.slow
async def test_a_whole_house_signs_in_from_one_address(site: Site) -> None:
    """Who comes in uses none of the tries that their network has, and a known browser asks for none."""
    site.add("ewa")
    known = site.browser()
    await sign_in(known, "ewa")
    try_in_vain(site, *((f"name{number}", "127.0.0.1") for number in range(signing_in.PER_CLIENT - 1)))
    for _ in range(2):
        assert (await sign_in(site.browser(), "ania"))[0] == 303
    try_in_vain(site, ("one more", "127.0.0.1"))
    assert (await sign_in(site.browser(), "ania"))[0] == 429
    assert (await sign_in(known, "ewa"))[0] == 303


@pytest.mark.slow
async def test_a_password_that_is_changed_while_it_is_looked_at_opens_nothing(site: Site) -> None:
    """Its sessions have ended by then, and none begins after that."""

    class Changing(Hasher):
        async def is_right(self, kept: str | None, password: str) -> bool:
            found = await super().is_right(kept, password)
            site.store.write_now(lambda tx: credentials.set_password(tx, "ania", "another hash", by="system"))
            return found

    signing = SigningIn(site.store, times=site.guard.times, hasher=Changing(), asked="nobody")
    outcome = await signing.with_password(site.context, "ania", PASSWORD, Try(client="198.51.100.1"))
    assert (outcome.result, outcome.token) == ("refused", "")


def test_the_first_code_of_an_app_is_guessed_ten_times_and_no_more(site: Site) -> None:
    """A found desk with a half set up app would else give out recovery codes in the end."""
    salt = second_factor.new_salt()
    site.store.write_now(lambda tx: second_factor.begin(tx, "ania", salt))
    app = pyotp.TOTP(second_factor.secret(site.keys, "ania", salt))
    right = app.at(int(site.store.clock().timestamp()))
    codes = ["wrong"] * second_factor.TRIES + [right]

    def confirm(code: str) -> bool:
        return site.store.write_now(
            lambda tx: second_factor.confirm(tx, site.keys, "ania", code, codes=("a",), by="system")
        )

    assert not any(confirm(each) for each in codes)


def test_the_first_admin_is_nobody_who_is_kept_out(site: Site) -> None:
    """The link would be used up, and the house still without an admin."""
    token = invitations.new_token()

    def begin(tx: Tx) -> None:
        credentials.disable(tx, "ania", by="system")
        invitations.make(tx, site.keys, token=token, name="", role="admin", hours=1, by="system")

    site.store.write_now(begin)
    invitation = site.store.read_now(lambda tx: invitations.find(tx, site.keys, token))
    assert invitation is not None
    with pytest.raises(CredentialError, match="ania is disabled"):
        site.store.write_now(
            lambda tx: invitations.accept(tx, site.context, invitation, name="ania", password_hash="x")
        )
    assert site.store.read_now(lambda tx: invitations.find(tx, site.keys, token)) is not None
