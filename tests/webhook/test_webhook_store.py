"""A posted mail becomes a ticket in a real daemon on a real store; what the store cannot take is tried again."""

import asyncio
import contextlib
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from channels.email import webhook_signature
from intake import journal, redaction, settings
from intake.commands import run
from intake.daemon import Daemon
from intake.store import schema
from intake.store.statements import Statement
from intake.wiring import Wired, wire
from tests.webhook import posting

RULES = "version: 1\nteams: {support: {levels: {l1: [ania]}}}\nagents: {ania: {email: ania@desk.example}}\ndefault: {team: support, priority: normal}\n"
CONFIG = """
folder: {folder}
http: {{listen: "127.0.0.1:0"}}
channels:
  posted: {{kind: email.webhook, secrets: ["${{HOOK_SECRET}}"], addresses: [support@example.com]}}
  unposted: {{kind: email.webhook, addresses: [sales@example.com]}}
outgoing: {{folder: {folder}/outgoing}}
"""
TICKETS = Statement(select(func.count()).select_from(schema.tickets))
STATES = Statement(select(schema.journal.c.state, func.count()).group_by(schema.journal.c.state))


@pytest.fixture
def wired(tmp_path: Path, new_store: bytes) -> Wired:
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "intake.db").write_bytes(new_store)
    (tmp_path / "rules.yaml").write_text(RULES)
    (tmp_path / "replies").mkdir()
    path = tmp_path / "intake.yaml"
    path.write_text(CONFIG.format(folder=tmp_path / "var"))
    return wire(settings.load(path, {"HOOK_SECRET": posting.SECRET}))


@pytest.fixture
async def daemon(wired: Wired) -> AsyncIterator[Daemon]:
    up = asyncio.Event()
    running = Daemon(wired, ready=lambda _: up.set())
    task = asyncio.create_task(running.run())
    await asyncio.wait({task, asyncio.ensure_future(up.wait())}, return_when=asyncio.FIRST_COMPLETED)
    assert not task.done(), task.exception()
    yield running
    running.stop()
    await task
    wired.store.close()
    redaction.forget_all()


async def post(daemon: Daemon, body: bytes, *, account: str = "posted") -> tuple[int, str]:
    assert daemon.upkeep.bound is not None
    host, port = daemon.upkeep.bound
    headers = webhook_signature.sign(body, [posting.SECRET], at=int(time.time()))
    request = urllib.request.Request(
        f"http://{host}:{port}/hooks/{account}/mime",
        data=body,
        headers={"Content-Type": "message/rfc822"} | headers,
    )

    def ask() -> tuple[int, str]:
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    return await asyncio.to_thread(ask)


async def test_a_posted_mail_is_a_ticket_once(daemon: Daemon) -> None:
    answers = [await post(daemon, posting.MAIL) for _ in range(3)]
    assert [status for status, _ in answers] == [200, 200, 200]
    await asyncio.wait_for(daemon.dispatcher.idle(), 10)
    store = daemon.wired.store
    assert list(await store.read(lambda tx: tx.all(TICKETS))) == [(1,)]
    assert dict(await store.read(lambda tx: tx.all(STATES))) == {"ticket": 1, "duplicate": 2}


async def test_200_is_said_only_when_the_bytes_are_in_the_store(daemon: Daemon) -> None:
    status, said = await post(daemon, posting.MAIL)
    assert (status, said) == (200, "stored as 1\n")
    row = await daemon.wired.store.read(lambda tx: journal.load(tx, 1, daemon.wired.blob_folder))
    assert row.raw.body == posting.MAIL


async def test_a_store_that_is_closed_is_try_again(daemon: Daemon) -> None:
    """A disk with less room than is to be kept free is 503, and its end is 200."""
    daemon.wired.journal._min_free_bytes = 1 << 62
    daemon.wired.journal._room_checked_at = 0
    assert (await post(daemon, posting.MAIL))[0] == 503
    daemon.wired.journal._min_free_bytes = 0
    daemon.wired.journal._room_checked_at = 0
    assert (await post(daemon, posting.MAIL))[0] == 200


async def test_an_account_that_is_not_set_up_has_no_address_and_check_says_so(daemon: Daemon) -> None:
    assert (await post(daemon, posting.MAIL, account="unposted"))[0] == 404
    problems = daemon.wired.channels["unposted"].check()
    assert any("neither a secret nor a topic" in problem.message for problem in problems)


async def test_the_daemon_says_where_mail_can_be_posted(
    daemon: Daemon, capsys: pytest.CaptureFixture[str]
) -> None:
    run.welcome(daemon)
    assert daemon.upkeep.bound is not None
    url = f"http://127.0.0.1:{daemon.upkeep.bound[1]}/hooks/posted/"
    assert f"posted     takes email.webhook on {url}" in capsys.readouterr().out


def test_the_secrets_of_a_hook_are_known_to_the_redaction(wired: Wired) -> None:
    with contextlib.closing(wired.store):
        assert redaction.redacted(f"it was {posting.SECRET}") == "it was ***"
    redaction.forget_all()
