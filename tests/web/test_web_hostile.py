"""What no browser sends: bytes that are no HTTP, forms in odd encodings, headers that claim something."""

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from multidict import CIMultiDict

from intake import invitations, web_sessions
from tests.conftest import ManualClock
from tests.web.site import PASSWORD, Site, open_site

FORM = "application/x-www-form-urlencoded"
HOST = b"Host: example\r\n"
NO_HTTP = (
    b"GARBAGE\r\n\r\n",
    b"GET / HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\nHost: a\n\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    b"GET /<script> HTTP/1.1\r\nAccept: text/html\r\nX: \x00\r\n" + HOST + b"\r\n",
    b"GET /welcome/\xff\xfe HTTP/1.1\r\n" + HOST + b"\r\n",
    b"GET / HTTP/1.1\r\nX: a\r\n b\r\n" + HOST + b"\r\n",
    b"GET / HTTP/1.1\r\nX : a\r\n" + HOST + b"\r\n",
    b"GET / HTTP/1.1\r\nX: " + b"a" * 20_000 + b"\r\n" + HOST + b"\r\n",
    b"GET / HTTP/1.1\r\n" + b"X: a\r\n" * 500 + HOST + b"\r\n",
    b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    # Two ends that differ on where a request ends: RFC 9112 §11.2.
    b"POST /sign-in HTTP/1.1\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n" + HOST + b"\r\n0\r\n\r\n",
    b"POST /sign-in HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n" + HOST + b"\r\n0\r\n\r\n",
    b"POST /sign-in HTTP/1.1\r\nTransfer-Encoding: xchunked\r\n" + HOST + b"\r\n0\r\n\r\n",
    b"POST /sign-in HTTP/1.1\r\nContent-Length: 4\r\nContent-Length: 5\r\n" + HOST + b"\r\nabcd",
    b"POST /sign-in HTTP/1.1\r\nContent-Length: +4\r\n" + HOST + b"\r\nabcd",
    b"POST /sign-in HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" + HOST + b"\r\n2\nab\r\n0\r\n\r\n",
)  # fmt: skip
ODD_FORMS = (
    (f"{FORM}; charset=nonsense", b"name=a&password=b"),
    (f"{FORM}; charset=zlib", b"name=a&password=b"),
    (f"{FORM}; charset=utf-7", b"name=+2AA-&password=b"),
    (f"{FORM}; charset=unicode_escape", b"name=\\ud800&password=b"),
    (f"{FORM}; charset=idna", b"name=a&password=" + b"a" * 16_000),
    ("multipart/form-data", b"x"),
    ("multipart/form-data; boundary=b", b'--b\r\nContent-Disposition: form-data; name="name"\r\nContent-Type: text/plain; charset=nonsense\r\n\r\na\r\n--b--\r\n'),
    ("multipart/form-data; boundary=b", b'--b\r\nContent-Disposition: form-data; name="name"\r\nContent-Type: text/plain; charset=utf-7\r\n\r\n+2AA-\r\n--b--\r\n'),
    ("multipart/form-data; boundary=b", b'--b\r\nContent-Disposition: form-data; name="name"\r\nContent-Transfer-Encoding: nonsense\r\n\r\na\r\n--b--\r\n'),
    ("multipart/form-data; boundary=b", b"--b\r\nContent-Disposition: form-data\r\n\r\na\r\n--b--\r\n"),
)  # fmt: skip


@pytest.fixture
async def site(tmp_path: Path, clock: ManualClock, new_store: bytes) -> AsyncIterator[Site]:
    async with open_site(tmp_path, clock, new_store=new_store) as opened:
        yield opened


async def told(site: Site, sent: bytes) -> bytes:
    """Everything that is answered to some bytes."""
    host, port = site.base.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(sent)
    answer = await asyncio.wait_for(reader.read(), 5)
    writer.close()
    return answer


async def test_what_is_no_http_hears_that_and_nothing_else(site: Site) -> None:
    """Not what it sent, nor whose library reads it; the headers are those of every answer."""
    for sent in NO_HTTP:
        head, _, body = (await told(site, sent)).partition(b"\r\n\r\n")
        assert head.split()[1] == b"400", sent[:60]
        assert body == b"this is not a request that can be read\n", sent[:60]
        assert b"aiohttp" not in head, sent[:60]
        assert b"default-src 'none'" in head, sent[:60]
        assert b"nosniff" in head, sent[:60]


async def test_a_form_of_another_encoding_is_the_senders_fault(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody without a session writes faults of ours into the log, or has us read an encoding for long."""
    browser = site.browser()
    for kind, body in ODD_FORMS:
        status, text, _ = await browser.ask("POST", "/sign-in", data=body, headers={"Content-Type": kind})
        assert (status, text) == (400, '{"error":{"text":"The form cannot be read."}}'), (kind, body[:80])
    assert [each for each in caplog.records if each.levelno >= logging.ERROR] == []


async def test_a_link_is_not_written_into_the_log_by_whoever_posts_it_from_elsewhere(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    """It is still good then: an operator whose public_url is wrong would have it in a file that others read."""
    token = invitations.new_token()
    await site.browser().ask("POST", invitations.path(token), headers={"Origin": "null"})
    assert "request_of_another_site" in caplog.text
    assert "http.public_url has to say so" in caplog.text
    assert token not in caplog.text


async def test_a_header_of_websockets_saves_no_form_the_word_of_its_session(site: Site) -> None:
    browser = site.signed_in("ania")
    headers = {"Upgrade": "websocket", "Connection": "Upgrade", "csrf": "x"}
    status, _, _ = await browser.ask("POST", "/account/sessions/end-others", headers=headers)
    assert status == 403


async def test_of_two_lines_that_name_who_asks_the_proxys_is_believed(site: Site) -> None:
    """HAProxy adds its line below that of the client, nginx to its end: the last word is the proxy's either way."""
    site.add("ania")
    for lines in (["203.0.113.9", "198.51.100.7"], ["203.0.113.9, 198.51.100.7"], ["x", "198.51.100.7"]):
        headers = CIMultiDict([("Origin", site.base), *(("X-Forwarded-For", each) for each in lines)])
        async with site.browser()._session.post(
            f"{site.base}/sign-in",
            data={"name": "ania", "password": PASSWORD},
            headers=headers,
            allow_redirects=False,
        ) as answer:
            assert answer.status == 303
        newest = site.store.read_now(lambda tx: web_sessions.of_name(tx, "ania", "agent"))
        assert {each.client for each in newest} == {"198.51.100.7"}, lines
