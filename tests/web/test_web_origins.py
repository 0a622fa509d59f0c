"""Where a request may come from: pages of ours. Foreign, null and missing are refused, by every route that changes something."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import web

from intake.web import origins
from intake.web.routes import Route
from tests.conftest import ManualClock
from tests.rows import every_row
from tests.web.site import PASSWORD, Site, open_site
from tests.web.test_web_access_matrix import CHANNELS, filled, seed, standing_in

STRANGERS = (
    None, "", "null", "https://evil.example", "http://127.0.0.1", "https://{host}", "http://{host}.evil.example",
    "http://evil.example/http://{host}", "http://user@{host}", "http://{host}/", "HTTP://{host}", "http://localhost",
    "http://{host}, http://evil.example", "file://", "http://[::1]:1", "chrome-extension://abcdefgh", "http://%3127.0.0.1",
)  # fmt: skip


@pytest.fixture
async def site(tmp_path: Path, clock: ManualClock, new_store: bytes) -> AsyncIterator[Site]:
    async with open_site(
        tmp_path, clock, new_store=new_store, channels=CHANNELS, changed=standing_in
    ) as opened:
        yield opened


def changing(site: Site) -> list[Route]:
    """The routes that a page of ours changes something by; channels look at their own origins."""
    return [
        each
        for each in site.table
        if each.method not in ("GET", "HEAD", "OPTIONS")
        and (each.authority == "session" or (each.authority == "public" and not each.is_cross_site))
    ]


@pytest.mark.slow
@pytest.mark.parametrize("origin", STRANGERS)
async def test_no_route_takes_anything_from_another_page(site: Site, origin: str | None) -> None:
    """Although the cookie and the form's word are good: another site cannot have them, and would not be believed."""
    browser, seeded = site.signed_in("boss", "admin"), seed(site)
    host = site.base.removeprefix("http://")
    given = {} if origin is None else {"Origin": origin.format(host=host)}
    assert len(changing(site)) > 40
    for route in changing(site):
        headers = {"csrf": browser.csrf, **given}
        async with browser._session.request(
            route.method, site.base + filled(route, seeded), headers=headers, allow_redirects=False
        ) as answer:
            assert answer.status == 403, f"{route.name} from {origin}"


# How a page can send something without scripts, and what one with scripts may send to others unasked; and JSON.
SENT = (
    ("application/x-www-form-urlencoded", b"a=b"),
    (
        "multipart/form-data; boundary=b",
        b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n--b--\r\n',
    ),
    ("text/plain", b"csrf={word}"),
    ("application/json", b'{"csrf": "{word}"}'),
    ("", b""),
)


@pytest.mark.slow
async def test_no_route_takes_anything_without_the_word_of_its_session(site: Site) -> None:
    """Although it comes from our origin with a good cookie, whatever it calls its body; one with the word is taken."""
    browser, seeded = site.signed_in("boss", "admin"), seed(site)
    routes = [each for each in changing(site) if each.authority == "session"]
    assert len(routes) > 40
    for route in routes:
        for kind, body in SENT:
            headers = {"Origin": site.base, **({"Content-Type": kind} if kind else {})}
            said = body.replace(b"{word}", browser.csrf.encode())
            async with browser._session.request(
                route.method, site.base + filled(route, seeded), headers=headers, data=said
            ) as answer:
                assert answer.status == 403, f"{route.name} as {kind}"
        field = {"csrf": browser.csrf}
        async with browser._session.request(
            route.method, site.base + filled(route, seeded), headers={"Origin": site.base}, data=field
        ) as answer:
            assert answer.status == 204, route.name


@pytest.mark.parametrize("fetched", ["cross-site", "same-site", "none", "nonsense"])
async def test_what_the_browser_says_of_the_site_has_to_agree(site: Site, fetched: str) -> None:
    """Sec-Fetch-Site cannot be set by scripts; where a browser sends it, it says same-origin for our own forms."""
    browser = site.signed_in("ania")
    answers = [
        (await browser.ask("POST", "/account/sessions/end-others", headers={"Sec-Fetch-Site": each}))[0]
        for each in (fetched, "same-origin")
    ]
    assert answers == [403, 204]


async def test_nobody_is_signed_in_by_a_form_of_another_site(site: Site) -> None:
    """Whoever could do that would have a victim work in the attacker's account."""
    site.add("ania")
    data = {"name": "ania", "password": PASSWORD}
    for origin in ("https://evil.example", "null"):
        status, _, headers = await site.browser().ask(
            "POST", "/sign-in", data=data, headers={"Origin": origin}
        )
        assert status == 403
        assert "Set-Cookie" not in headers


async def test_a_websocket_of_another_site_is_not_opened_by_a_session(site: Site) -> None:
    """Upgrades are GETs, and no less dangerous: the origin is asked for them too."""
    browser = site.signed_in("ania")
    upgrade = {"Upgrade": "websocket", "Connection": "Upgrade"}
    assert (await browser.ask("GET", "/live", headers=upgrade))[0] == 403
    assert (await browser.ask("GET", "/live", headers={**upgrade, "Origin": site.base}))[0] == 204


async def test_the_public_address_is_ours_and_a_forged_host_is_not(
    tmp_path: Path, clock: ManualClock, new_store: bytes
) -> None:
    """A name that somebody has pointed at our address sends its own name as Origin and as Host."""
    http = ", public_url: 'https://help.example.com'"
    async with open_site(tmp_path, clock, new_store=new_store, http=http) as site:
        browser = site.signed_in("ania")
        for origin, host, status in (
            ("https://help.example.com", "help.example.com", 303),
            ("http://rebound.example", "rebound.example", 403),
            ("https://rebound.example", "rebound.example", 403),
            ("http://help.example.com", "help.example.com", 403),
        ):
            headers = {"Origin": origin, "Host": host}
            found = await browser.ask("POST", "/account/sessions/end-others", headers=headers)
            assert found[0] == status, origin


@every_row(
    ("url", "origin"),
    [
        ("https://help.example.com", "https://help.example.com"),
        ("https://help.example.com:443/desk", "https://help.example.com"),
        ("https://help.example.com:8443", "https://help.example.com:8443"),
        ("http://Help.Example.com:80", "http://help.example.com"),
        ("http://[2001:db8::1]:8080", "http://[2001:db8::1]:8080"),
    ],
)
def test_an_origin_is_written_as_browsers_write_it(url: str, origin: str) -> None:
    assert origins.of_url(url) == origin


# -- headers ----------------------------------------------------------------------------------------------------------


async def test_every_answer_says_what_browsers_may_do_with_it(site: Site) -> None:
    """Pages, refusals and errors alike: a policy, no guessing of types, no frames, no referrer to others."""
    browser, seeded = site.signed_in("ania"), seed(site)
    paths = ["/healthz", "/nowhere", "/sign-in", "/n/ack/x", "/chat/shop/status.json", "/form/page"]
    paths += [filled(each, seeded) for each in site.table if each.method == "GET"]
    for path in paths:
        _, _, headers = await browser.ask("GET", path)
        assert headers["X-Content-Type-Options"] == "nosniff", path
        assert "frame-ancestors" in headers["Content-Security-Policy"], path
        assert "unsafe" not in headers["Content-Security-Policy"], path
        assert headers["Referrer-Policy"] in ("same-origin", "no-referrer"), path
        assert headers["Server"] == "intake", path
        assert "Cache-Control" in headers, path


@pytest.mark.slow
async def test_nothing_that_needs_a_session_stays_in_a_browser(
    tmp_path: Path, clock: ManualClock, new_store: bytes
) -> None:
    """Whoever signs in there next, or may not see a ticket any more, would find it.

    Files have their own test (test_uploads_stay_files).
    """
    async with open_site(tmp_path, clock, new_store=new_store, channels=CHANNELS) as site:
        browser, seeded = site.signed_in("boss", "admin"), seed(site)
        for route in site.table:
            if route.authority == "session" and route.method == "GET" and route.path != "/live":
                status, _, headers = await browser.ask(
                    "GET", filled(route, seeded), headers={"Accept": "text/html"}
                )
                assert "no-store" in headers["Cache-Control"], (route.name, status)


async def test_a_handler_that_breaks_says_nothing_of_why(
    tmp_path: Path, clock: ManualClock, new_store: bytes
) -> None:
    """Whatever it was: 500, no trace, and the log has it (OWASP ASVS 5.0 rows 16.5.1 and 16.5.4)."""

    async def broken(request: web.Request, who: Any) -> web.Response:
        raise RuntimeError("the secret reason")

    def changed(routes: Any) -> list[Route]:
        return [
            msgspec.structs.replace(each, handler=broken) if each.path == "/account" else each
            for each in routes
        ]

    async with open_site(tmp_path, clock, new_store=new_store, changed=changed) as site:
        status, text, headers = await site.signed_in("ania").ask("GET", "/account")
        assert status == 500
        assert "secret" not in text
        assert "Traceback" not in text
        assert headers["X-Content-Type-Options"] == "nosniff"


async def test_a_form_is_small_or_is_not_read(site: Site) -> None:
    """Nobody fills the memory by the page that everybody may post to; what is no form is refused."""
    browser = site.browser()
    large = {"name": "ania", "password": "x" * 100_000}
    assert (await browser.ask("POST", "/sign-in", data=large))[0] == 413
    broken = {"Content-Type": "multipart/form-data"}
    assert (await browser.ask("POST", "/sign-in", data=b"no form", headers=broken))[0] in (400, 403)
    signed_in = site.signed_in("ania")
    status, _, _ = await signed_in.ask(
        "POST", "/account/password", data=b"no form", headers={**broken, "csrf": signed_in.csrf}
    )
    assert status == 204  # its word is in the header, so that the form is the handler's to read
    async with signed_in._session.post(
        f"{site.base}/account/password", data=b"no form", headers={**broken, "Origin": site.base}
    ) as answer:
        assert answer.status == 400
