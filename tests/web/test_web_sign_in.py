"""Signing in as a browser does: passwords, codes, links, cookies, and what somebody hears who guesses."""

import re
import statistics
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pyotp
import pytest
from sqlalchemy import bindparam, select

from intake import credentials, invitations, second_factor, signing_in, web_sessions
from intake.signing_in import Try
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement
from tests.conftest import ManualClock
from tests.web.site import PASSWORD, Browser, Site, open_site

PAGE = {"Accept": "text/html"}


@pytest.fixture
async def site(tmp_path: Path, clock: ManualClock, new_store: bytes) -> AsyncIterator[Site]:
    async with open_site(tmp_path, clock, new_store=new_store) as opened:
        yield opened


async def sign_in(
    browser: Browser, name: str, password: str = PASSWORD, **fields: str
) -> tuple[int, str, str]:
    """Fill in the form; status, text, and where to. Afterwards forms carry the session's word."""
    data = {"name": name, "password": password, **fields}
    status, text, headers = await browser.ask("POST", "/sign-in", data=data)
    if status == 303:
        await learn_csrf(browser)
    return status, text, headers.get("Location", "")


async def learn_csrf(browser: Browser) -> None:
    _, page, _ = await browser.ask("GET", "/account", headers=PAGE)
    found = re.search(r'name="csrf" content="([^"]+)"', page)
    browser.csrf = found[1] if found else ""


def has_session(site: Site, name: str) -> bool:
    return bool(site.store.read_now(web_sessions.counts).get(name))


def events_of(site: Site, kind: str) -> list[tuple[str, str]]:
    """The actors and details of events of a kind."""
    e = schema.events.c
    wanted = Statement(select(e.actor, e.details).where(e.kind == bindparam("kind")).order_by(e.id))
    return [(row[0], row[1]) for row in site.store.read_now(lambda tx: tx.all(wanted, kind=kind))]


async def test_a_name_and_its_password_open_the_desk(site: Site) -> None:
    """Whoever comes without a session is sent to sign in, and back to where they were going."""
    site.add("ania")
    browser = site.browser()
    status, _, headers = await browser.ask("GET", "/account", headers=PAGE)
    assert (status, headers["Location"]) == (303, "/sign-in?next=%2Faccount")
    assert (await sign_in(browser, "ania", next="/account"))[::2] == (303, "/account")
    assert (await browser.ask("GET", "/account"))[0] == 200


@pytest.mark.parametrize(
    "next_", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:x", "/a\r\nb"]
)
async def test_nobody_is_sent_elsewhere_after_signing_in(site: Site, next_: str) -> None:
    site.add("ania")
    assert (await sign_in(site.browser(), "ania", next=next_))[2] == "/"


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("ania", "wrong"),
        ("nobody", PASSWORD),
        ("ania", ""),
        ("", PASSWORD),
        ("ania", PASSWORD + " "),
        ("ANIA", PASSWORD),
    ],
)
async def test_whatever_is_wrong_is_answered_alike(site: Site, name: str, password: str) -> None:
    """The answer to an unknown name is that to a wrong password, letter by letter but for the name typed."""
    site.add("ania")
    status, text, _ = await sign_in(site.browser(), name, password)
    _, other, _ = await sign_in(site.browser(), "somebody else", "x")
    assert status == 403
    assert text.replace(f'value="{name}"', "").replace(" autofocus", "") == other.replace(
        'value="somebody else"', ""
    ).replace(" autofocus", "")
    assert not has_session(site, name)


@pytest.mark.slow
@pytest.mark.usefixtures("real_hashes")
async def test_an_unknown_name_takes_as_long_as_a_known_one(site: Site) -> None:
    """The medians of both differ by less than half of what a password costs."""
    site.add("ania")
    taken: dict[str, list[float]] = {"ania": [], "nobody": []}
    for number in range(8):
        for name, times in taken.items():
            began = time.perf_counter()
            await sign_in(site.browser(), name, f"wrong {number}")
            times.append(time.perf_counter() - began)
    known, unknown = (statistics.median(times) for times in taken.values())
    assert abs(known - unknown) < 0.5 * max(known, unknown)


async def test_who_may_not_sign_in_any_more_is_out_at_once(site: Site) -> None:
    """Disabled, or gone from the rules: the session that was open is over, and no other begins."""
    for name in ("ania", "ewa"):
        site.add(name)
    ania, ewa = site.browser(site.session("ania")), site.browser(site.session("ewa"))
    assert [(await each.ask("GET", "/account"))[0] for each in (ania, ewa)] == [200, 200]
    site.store.write_now(lambda tx: credentials.disable(tx, "ania", by="system"))
    del site.context.rulebook.agents["ewa"]
    assert [(await each.ask("GET", "/account"))[0] for each in (ania, ewa)] == [401, 401]
    assert [(await sign_in(site.browser(), name))[0] for name in ("ania", "ewa")] == [403, 403]


# -- guessing ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["ania", "nobody"])
async def test_after_ten_wrong_passwords_the_right_one_is_not_looked_at(
    site: Site, clock: ManualClock, name: str
) -> None:
    """A name that nobody has is closed like every other; after a quarter of an hour it is open again."""
    site.add("ania")
    try_in_vain(site, *((name, "127.0.0.1") for _ in range(signing_in.PER_PAIR - 1)))
    assert (await sign_in(site.browser(), name, "wrong"))[0] == 403
    assert (await sign_in(site.browser(), name))[0] == 429
    clock.advance(minutes=16)
    assert (await sign_in(site.browser(), name))[0] == (303 if name == "ania" else 403)


def try_in_vain(site: Site, *tries: tuple[str, str]) -> None:
    """Use up tries without waiting for as many hashes. tries: names, and the networks they are tried from."""

    def take(tx: Tx) -> None:
        for name, client in tries:
            signing_in._take_try(tx, site.keys, name, Try(client=client), is_known=False)

    site.store.write_now(take)


async def test_nobody_is_locked_out_by_others(site: Site) -> None:
    """A name that is tried from a hundred networks is closed to new browsers, and open to one its owner has used."""
    site.add("ania")
    own = site.browser()
    await sign_in(own, "ania")
    try_in_vain(site, *(("ania", f"198.51.{number}.1") for number in range(signing_in.PER_NAME)))
    assert (await sign_in(site.browser(), "ania"))[0] == 429
    assert (await sign_in(own, "ania"))[0] == 303


async def test_one_network_cannot_try_many_names(site: Site) -> None:
    try_in_vain(site, *((f"name{number}", "127.0.0.1") for number in range(signing_in.PER_CLIENT - 1)))
    assert (await sign_in(site.browser(), "one more", "x"))[0] == 403
    assert (await sign_in(site.browser(), "another", "x"))[0] == 429


async def test_a_forged_browser_is_an_unknown_one(site: Site) -> None:
    """The cookie of a known browser is signed for one name."""
    made = signing_in.device(site.keys, "ania")
    assert signing_in.is_device_of(site.keys, made, "ania")
    assert not signing_in.is_device_of(site.keys, made, "ewa")
    assert not signing_in.is_device_of(site.keys, made.replace("ania.", "ewa."), "ewa")


# -- the cookie -------------------------------------------------------------------------------------------------------


async def test_the_cookie_is_strict_and_out_of_reach_of_scripts(site: Site) -> None:
    site.add("ania")
    _, _, headers = await site.browser().ask("POST", "/sign-in", data={"name": "ania", "password": PASSWORD})
    (cookie,) = [each for each in headers.getall("Set-Cookie") if each.startswith("intake=")]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert "Path=/" in cookie
    assert "Domain" not in cookie


async def test_over_https_the_cookie_is_bound_to_the_host(
    tmp_path: Path, clock: ManualClock, new_store: bytes
) -> None:
    async with open_site(
        tmp_path, clock, new_store=new_store, http=", public_url: 'https://help.example.com'"
    ) as site:
        site.add("ania")
        _, _, headers = await site.browser().ask(
            "POST",
            "/sign-in",
            data={"name": "ania", "password": PASSWORD},
            headers={"Origin": "https://help.example.com"},
        )
        cookies = headers.getall("Set-Cookie")
        assert all(each.startswith("__Host-") and "Secure" in each for each in cookies)
        assert headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"


async def test_signing_in_begins_another_session(site: Site) -> None:
    """A session that somebody was given beforehand is not the one they are signed in with."""
    site.add("ania")
    planted = site.session("ania")
    browser = site.browser(planted)
    await sign_in(browser, "ania")
    assert (await site.browser(planted).ask("GET", "/account"))[0] == 401
    assert (await browser.ask("GET", "/account"))[0] == 200


async def test_signing_out_ends_the_session_here(site: Site) -> None:
    """Not only the cookie is gone: what it held opens nothing."""
    site.add("ania")
    token = site.session("ania")
    browser = site.browser(token)
    status, _, headers = await browser.ask("POST", "/sign-out")
    assert (status, headers["Location"]) == (303, "/sign-in")
    assert (await site.browser(token).ask("GET", "/account"))[0] == 401


async def test_a_session_ends_when_nobody_does_anything(site: Site, clock: ManualClock) -> None:
    """Two hours after the last request; each begins them anew, up to twelve hours in all."""
    site.add("ania")
    browser = site.browser(site.session("ania"))
    for _ in range(7):
        clock.advance(minutes=100)
        status, _, _ = await browser.ask("GET", "/account")
        assert status == 200
    clock.advance(minutes=30)
    assert (await browser.ask("GET", "/account"))[0] == 401
    idle = site.browser(site.session("ania"))
    clock.advance(minutes=121)
    assert (await idle.ask("GET", "/account"))[0] == 401


async def test_a_link_from_elsewhere_finds_whoever_is_signed_in(site: Site) -> None:
    """A strict cookie stays at home then: a page of ours has the browser ask once more, and only then to sign in."""
    fetched = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", **PAGE}
    status, text, _ = await site.browser().ask("GET", "/account?x=1&y=2", headers=fetched)
    assert status == 200
    assert '<meta http-equiv="refresh" content="0;url=/account?x=1&amp;y=2">' in text
    again = await site.browser().ask("GET", "/account", headers={**fetched, "Sec-Fetch-Site": "same-origin"})
    assert again[0] == 303


# -- the second factor ------------------------------------------------------------------------------------------------


def app_of(site: Site, page: str) -> pyotp.TOTP:
    """The authenticator app of somebody who reads the page that shows the secret."""
    found = re.search(r"<code>([A-Z2-7 ]+)</code>", page)
    assert found is not None
    return pyotp.TOTP(found[1].replace(" ", ""))


def code_now(site: Site, app: pyotp.TOTP) -> str:
    return app.at(int(site.store.clock().timestamp()))


async def set_up(site: Site, browser: Browser) -> tuple[pyotp.TOTP, list[str]]:
    """Set up a second factor by the page; the app, and the recovery codes."""
    _, page, _ = await browser.ask("POST", "/account/second-factor", data={"current": PASSWORD})
    app = app_of(site, page)
    status, page, _ = await browser.ask(
        "POST", "/account/second-factor/confirm", data={"code": code_now(site, app)}
    )
    assert status == 200
    await learn_csrf(browser)
    return app, re.findall(r"\b(?:[a-z0-9]{4}-){5}[a-z0-9]{4}\b", page)


async def test_an_admin_sets_up_a_second_factor_before_anything_else(site: Site) -> None:
    site.add("boss", "admin")
    browser = site.browser()
    assert (await sign_in(browser, "boss", next="/"))[2] == "/account"
    status, _, headers = await browser.ask("GET", "/agents", headers=PAGE)
    assert (status, headers["Location"]) == (303, "/account")
    assert (await browser.ask("POST", "/agents/invite", data={"name": "ania"}))[0] == 403
    _, codes = await set_up(site, browser)
    assert len(codes) == second_factor.CODES
    assert (await browser.ask("GET", "/agents"))[0] == 200


async def test_with_a_second_factor_a_password_is_half_the_way(site: Site, clock: ManualClock) -> None:
    """Before the code nothing opens; a code is good once; each recovery code is, too."""
    site.add("ania")
    app, codes = await set_up(site, site.browser(site.session("ania")))
    clock.advance(seconds=60)
    browser = site.browser()
    assert (await sign_in(browser, "ania"))[2] == "/sign-in/code?next=%2F"
    assert (await browser.ask("GET", "/account"))[0] == 401
    code = code_now(site, app)
    assert (await browser.ask("POST", "/sign-in/code", data={"code": "000000" if code != "000000" else "1"}))[
        0
    ] == 403
    assert (await browser.ask("POST", "/sign-in/code", data={"code": code}))[0] == 303
    assert (await browser.ask("GET", "/account"))[0] == 200
    for given, status in ((code, 403), (codes[0].upper(), 303), (codes[0], 403), (codes[1], 303)):
        again = site.browser()
        await sign_in(again, "ania")
        assert (await again.ask("POST", "/sign-in/code", data={"code": given}))[0] == status
    assert len(events_of(site, "recovery_code_used")) == 2


async def test_codes_are_guessed_ten_times_and_no_more(site: Site, clock: ManualClock) -> None:
    """Even the right one is not taken then; a new session does not begin the count anew."""
    site.add("ania")
    app, _ = await set_up(site, site.browser(site.session("ania")))
    clock.advance(seconds=60)
    for number in range(signing_in.CODES_PER_NAME):
        browser = site.browser(site.session("ania", stage="second_factor"))
        assert (await browser.ask("POST", "/sign-in/code", data={"code": f"{number:06}x"}))[0] == 403
    assert (await browser.ask("POST", "/sign-in/code", data={"code": code_now(site, app)}))[0] == 429


async def test_a_half_way_session_is_over_after_ten_minutes(site: Site, clock: ManualClock) -> None:
    site.add("ania")
    app, _ = await set_up(site, site.browser(site.session("ania")))
    browser = site.browser()
    await sign_in(browser, "ania")
    clock.advance(minutes=11)
    status, _, headers = await browser.ask("POST", "/sign-in/code", data={"code": code_now(site, app)})
    assert (status, headers["Location"]) == (303, "/sign-in")


async def test_what_guards_an_account_is_changed_with_the_password(site: Site) -> None:
    """Whoever finds the desk open changes neither password nor second factor."""
    browser = site.signed_in("ania")
    new = "an umbrella for seven herons"
    for path in (
        "/account/password",
        "/account/second-factor",
        "/account/second-factor/remove",
        "/account/recovery-codes",
    ):
        data = {"current": "not it", "password": new, "again": new}
        assert (await browser.ask("POST", path, data=data))[0] == 422
    other = site.session("ania")
    assert (
        await browser.ask(
            "POST", "/account/password", data={"current": PASSWORD, "password": new, "again": new}
        )
    )[0] == 303
    assert (await site.browser(other).ask("GET", "/account"))[0] == 401  # everywhere else they are signed out
    assert (await browser.ask("GET", "/account"))[0] == 200
    assert [(await sign_in(site.browser(), "ania", each))[0] for each in (PASSWORD, new)] == [403, 303]


def kept_in(site: Site) -> bytes:
    """Every byte of the store."""
    return b"".join(path.read_bytes() for path in site.wired.settings.folder.glob("intake.db*"))


async def test_the_store_alone_gives_no_code_away(site: Site, clock: ManualClock) -> None:
    """The app's secret stands in no table, nor does a recovery code, a session's token or a link's."""
    site.add("ania")
    token = site.session("ania")
    app, codes = await set_up(site, site.browser(token))
    link = invitations.new_token()
    site.store.write_now(
        lambda tx: invitations.invite(tx, site.context, "ewa", None, token=link, hours=1, by="system")
    )
    kept = kept_in(site)
    assert token.encode() not in kept
    assert link.encode() not in kept
    assert app.secret.encode() not in kept
    assert not [each for each in codes if each.encode() in kept or each.replace("-", "").encode() in kept]


# -- links ------------------------------------------------------------------------------------------------------------


async def test_the_first_admin_is_made_by_a_link_that_works_once(site: Site) -> None:
    token = invitations.new_token()
    site.store.write_now(
        lambda tx: invitations.make(tx, site.keys, token=token, name="", role="admin", hours=24, by="system")
    )
    path, chosen = invitations.path(token), {"name": "boss", "password": PASSWORD, "again": PASSWORD}
    assert (await site.browser().ask("GET", path))[0] == 200
    assert (await site.browser().ask("POST", path, data=chosen))[0] == 200
    assert (await site.browser().ask("POST", path, data={**chosen, "name": "second"}))[0] == 404
    assert (await sign_in(site.browser(), "boss"))[2] == "/account"
    assert [each.name for each in site.store.read_now(credentials.everybody)] == ["boss"]


async def test_a_link_does_not_outlive_its_hours_nor_a_newer_one(site: Site, clock: ManualClock) -> None:
    admin = site.signed_in("boss", "admin")
    paths = []
    for _ in range(2):
        _, page, _ = await admin.ask("POST", "/agents/invite", data={"name": "ania", "role": "agent"})
        found = re.search(r'value="http://[^/]+(/welcome/[^"]+)"', page)
        assert found is not None
        paths.append(found[1])
    assert [(await site.browser().ask("GET", path))[0] for path in paths] == [404, 200]
    clock.advance(hours=73)
    assert (await site.browser().ask("GET", paths[1]))[0] == 404


@pytest.mark.parametrize(
    "password", ["short", "passwordpassword", "ania.ania.2026", "qwertyuiop123456", "aaaaaaaaaaaaaaaa"]
)
async def test_easily_guessed_passwords_are_not_taken(site: Site, password: str) -> None:
    token = invitations.new_token()
    site.store.write_now(
        lambda tx: invitations.invite(tx, site.context, "ania", None, token=token, hours=1, by="system")
    )
    data = {"password": password, "again": password}
    assert (await site.browser().ask("POST", invitations.path(token), data=data))[0] == 422


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery staple",
        "zażółć gęślą jaźń rano",
        "x" * 5 + "qK7! pR2" * 20,
        "カニは横に歩く、今日もまた横に",
    ],
)
async def test_any_characters_make_a_password_and_none_is_changed(site: Site, password: str) -> None:
    token = invitations.new_token()
    site.store.write_now(
        lambda tx: invitations.invite(tx, site.context, "ania", None, token=token, hours=1, by="system")
    )
    data = {"password": password, "again": password}
    assert (await site.browser().ask("POST", invitations.path(token), data=data))[0] == 200
    assert (await sign_in(site.browser(), "ania", password[:-1]))[0] == 403
    assert (await sign_in(site.browser(), "ania", password))[0] == 303


# -- who may sign in --------------------------------------------------------------------------------------------------


async def test_the_last_admin_keeps_the_key(site: Site) -> None:
    """Neither disabled nor made something else; with a second one, either goes."""
    browser = site.signed_in("boss", "admin")
    for path, more in (("disable", {}), ("role", {"role": "agent"}), ("role", {"role": "auditor"})):
        assert (await browser.ask("POST", f"/agents/{path}", data={"name": "boss", **more}))[0] == 422
    site.add("second", "admin")
    assert (await browser.ask("POST", "/agents/disable", data={"name": "second"}))[0] == 303


async def test_every_change_is_an_event_with_its_actor(site: Site) -> None:
    browser = site.signed_in("boss", "admin")
    site.add("ewa")
    site.session("ewa")
    for path, data in (
        ("invite", {"name": "ania", "role": "lead"}),
        ("role", {"name": "ania", "role": "auditor"}),
        ("sign-out", {"name": "ewa"}),
        ("disable", {"name": "ewa"}),
        ("enable", {"name": "ewa"}),
    ):
        assert (await browser.ask("POST", f"/agents/{path}", data=data))[0] in (200, 303)
    for kind in ("invited", "role_changed", "sessions_ended", "sign_in_disabled", "sign_in_enabled"):
        assert events_of(site, kind)[-1][0] == "agent:boss", kind


async def test_a_role_is_for_somebody_of_the_rules(site: Site) -> None:
    browser = site.signed_in("boss", "admin")
    status, page, _ = await browser.ask("POST", "/agents/invite", data={"name": "stranger", "role": "agent"})
    assert status == 422
    assert "The rules name no agent" in page
    assert (await browser.ask("POST", "/agents/invite", data={"name": "stranger", "role": "auditor"}))[
        0
    ] == 200
