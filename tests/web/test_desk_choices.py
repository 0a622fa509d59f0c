"""What agents choose for themselves at the desk: kept with their account, and nobody else's."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from intake import choices
from tests.conftest import ManualClock
from tests.web.site import Browser, Site, open_site


@pytest.fixture
async def site(tmp_path: Path, clock: ManualClock, new_store: bytes) -> AsyncIterator[Site]:
    async with open_site(tmp_path, clock, new_store=new_store) as opened:
        yield opened


async def chosen(browser: Browser, choice: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
    """Choose something, or look; the status and what is told."""
    headers = {"Accept": "application/json"}
    if choice is None:
        status, text, _ = await browser.ask("GET", "/choices", headers=headers)
    else:
        status, text, _ = await browser.ask("POST", "/choices", json=choice, headers=headers)
    return status, json.loads(text)


async def test_what_is_chosen_holds_in_every_browser_of_theirs_and_in_no_other(site: Site) -> None:
    """Keys are given, taken away and had again, one by one: two browsers at once undo nothing of each other."""
    ania, ewa = site.signed_in("ania"), site.signed_in("ewa")
    again = site.browser(site.session("ania"))
    await chosen(ania, {"command": "list.next", "keys": "x"})
    await chosen(again, {"command": "page.next", "keys": ""})
    await chosen(ania, {"command": "go.list", "keys": "g z"})
    await chosen(again, {"single": False})
    await chosen(ania, {"announce": False})
    changed = {"list.next": "x", "page.next": "", "go.list": "g z"}
    assert await chosen(again) == (200, {"single": False, "announce": False, "changed": changed})
    await chosen(again, {"command": "list.next"})
    await chosen(ania, {"single": True})
    del changed["list.next"]
    assert await chosen(ania) == (200, {"single": True, "announce": False, "changed": changed})
    assert await chosen(ewa) == (200, {"single": True, "announce": True, "changed": {}})


async def test_what_is_no_key_is_refused_in_a_sentence(site: Site) -> None:
    """A command is named as pages name theirs; keys are one key, or two after each other."""
    ania = site.signed_in("ania")
    for command, keys in (
        ("List next", "x"), ("x" * 65, "x"), ("list.next", "a b c"), ("list.next", "\x07"), ("list.next", "x" * 200),
    ):  # fmt: skip
        status, told = await chosen(ania, {"command": command, "keys": keys})
        assert (status, told["error"]["text"][-1]) == (422, "."), (command, keys)


async def test_nobody_fills_the_store_with_keys(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """So many commands no page has; one that has other keys already can still be given others."""
    monkeypatch.setattr(choices, "MOST", 2)
    ania = site.signed_in("ania")
    given = [(await chosen(ania, {"command": each, "keys": "x"}))[0] for each in ("a", "b", "c", "b")]
    assert given == [200, 200, 422, 200]
