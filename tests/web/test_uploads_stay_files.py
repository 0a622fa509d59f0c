"""What customers attach is given out as bytes to be saved: nothing of it is rendered, run or framed from our origin."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Error

from channels import form
from channels.contract import RawMessage
from channels.form import submission
from intake import kept_files
from tests.web.forms import BOUNDARY, FILLED
from tests.web.site import Browser as Client
from tests.web.uploads import FILES
from tests.web.xss_feed import Feed
from tests.web.xss_pages import fed_desk, looking

POINTS = (b"GIF8", b"\x89PNG", b"\xff\xd8\xff", b"BM")


def attached(feed: Feed, files: Any = FILES) -> tuple[str, list[str]]:
    """Send each file with the form: the ticket, and where each file is."""
    row = 0
    for name, kind, content in files:
        named = name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
        head = f'Content-Disposition: form-data; name="files"; filename="{named}"\r\nContent-Type: {kind}\r\n\r\n'
        fields = "".join(
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n{value}\r\n'
            for field, value in FILLED.items()
        )
        body = f"{fields}--{BOUNDARY}\r\n{head}".encode() + content + f"\r\n--{BOUNDARY}--\r\n".encode()
        kept = submission.kept(f"multipart/form-data; boundary={BOUNDARY}", body)
        raw = RawMessage(kind="form", account="contact", lane="a", body=kept, received_at=feed.world.clock())
        row = feed._settled(raw, lambda each: form.parse(each, form.Options()))
    ref = feed._ref(row)
    ticket = feed.world.rows("tickets", "ref = :ref", ref=ref)[0]
    messages = feed.world.rows(
        "messages", "ticket_id = :id AND direction = 'in' ORDER BY id", id=ticket["id"]
    )
    return ref, [f"/tickets/{ref}/files/{each['id']}/0" for each in messages]


def headers_refuse_to_be_shown(headers: Any) -> bool:
    """Whether a browser that obeys saves it, and could do nothing with it even if it were shown."""
    policy = headers.get("Content-Security-Policy", "")
    return (
        headers.get("Content-Disposition", "").startswith("attachment")
        and headers["Content-Type"].startswith("application/octet-stream")
        and headers.get("X-Content-Type-Options") == "nosniff"
        and "sandbox" in policy
        and "default-src 'none'" in policy
        and headers.get("Cross-Origin-Resource-Policy") == "same-origin"
        and "no-store" in headers.get("Cache-Control", "")  # else it stays for whoever signs in there next
    )


@pytest.mark.slow
async def test_every_file_is_bytes_to_be_saved_and_comes_back_as_it_was(
    tmp_path: Path, new_store: bytes
) -> None:
    async with fed_desk(tmp_path, new_store) as (site, feed):
        ref, paths = await asyncio.to_thread(attached, feed)
        client: Client = site.signed_in("ania")
        assert len(paths) == len(FILES)
        for path, (name, _, content) in zip(paths, FILES, strict=True):
            async with client._session.get(site.base + path) as answer:
                assert (name, answer.status, headers_refuse_to_be_shown(answer.headers)) == (name, 200, True)
                assert "\r" not in answer.headers["Content-Disposition"]
                assert await answer.read() == content
        number = _id(site, ref)
        found = site.store.read_now(lambda tx: list(kept_files.of_ticket(tx, number, site.wired.blob_folder)))
        assert [each.content for each in found] == [content for *_, content in FILES]


@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_a_browser_saves_every_file_and_runs_none(
    tmp_path: Path, browser: Browser, new_store: bytes
) -> None:
    async with fed_desk(tmp_path, new_store) as (site, feed), looking(browser, site) as found:
        ref, paths = await asyncio.to_thread(attached, feed)
        for path in paths:
            async with found.page.expect_download() as saved:
                with pytest.raises(Error, match="Download is starting"):
                    await found.page.goto(site.base + path)
            await (await saved.value).delete()
        await found.look(f"/tickets/{ref}")
        # Whoever could write markup into a page of ours would still load none of them.
        for path in paths:
            await found.page.evaluate(_PUT_INTO_A_PAGE, path)
        await found.page.wait_for_timeout(200)
        assert found.escaped.ran == []
        assert found.escaped.dialogues == []
        assert found.seen.outside(site.base) == []
        drawn = await found.page.evaluate(_DRAWN)
        contents = dict(zip(paths, (content for *_, content in FILES), strict=True))
        # A picture of points is all that a browser would ever draw of them.
        assert [path for path in drawn if not contents[path].startswith(POINTS)] == []


_DRAWN = """() => [...document.images].filter((each) => each.dataset.test && each.naturalWidth)
  .map((each) => new URL(each.src).pathname)"""
_PUT_INTO_A_PAGE = """(path) => {
  const made = [["img", "src"], ["iframe", "src"], ["object", "data"], ["embed", "src"], ["video", "src"], ["link", "href"]];
  for (const [name, attribute] of made) {
    const each = document.createElement(name);
    if (name === "link") each.rel = "stylesheet";
    each.dataset.test = "x";
    try { each[attribute] = path; document.body.append(each); } catch { /* Trusted Types */ }
  }
  return Promise.allSettled([import(path), navigator.serviceWorker.register(path)]).then((all) => all.map((each) => each.status));
}"""


def _id(site: Any, ref: str) -> int:
    from intake import tickets

    found = site.store.read_now(lambda tx: tickets.load_by_ref(tx, ref))
    assert found is not None
    return int(found.id)
