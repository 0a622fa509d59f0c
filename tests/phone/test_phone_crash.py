"""A real daemon is killed between Twilio's answer and our note of it; the next one sends nothing twice."""

import asyncio
import os
import sqlite3
import sys
import urllib.parse
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from channels import loading
from channels.contract import RawMessage
from channels.twilio.simulator import rest
from channels.twilio.simulator.provider import ACCOUNT, TOKEN, Provider
from intake import attempts, desk, failpoints, journal, listing, pipeline, settings, wiring
from intake.store import blobs

pytestmark = pytest.mark.slow

OWN, JAN = "+48221234567", "+48600100200"
CONFIG = """
http: {{listen: "127.0.0.1:0"}}
folder: {folder}/var
channels:
  texts:
    kind: twilio.sms
    account_sid: {account}
    auth_token: {token}
    numbers: ["{own}"]
    api_url: {api_url}
    reconcile_s: 0
"""
RULES = """
version: 1
agents: {ania: {email: ania@desk.example}}
teams: {support: {levels: {l1: [ania]}}}
default: {team: support}
"""
FOUND = b"message_found_sent"


@pytest.fixture
def provider() -> Provider:
    """A provider that lives in our time."""
    return Provider(numbers=(OWN,), at=datetime.now(UTC))


@pytest.fixture
def config(tmp_path: Path, new_store: bytes) -> Path:
    """A configuration with an agent's answer by text in its outbox, as soon as `prepare` was called."""
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "intake.db").write_bytes(new_store)
    (tmp_path / "rules.yaml").write_text(RULES)
    (tmp_path / "replies").mkdir()
    return tmp_path / "intake.yaml"


def prepare(config: Path, api_url: str) -> None:
    config.write_text(
        CONFIG.format(folder=config.parent, account=ACCOUNT, token=TOKEN, own=OWN, api_url=api_url)
    )
    wired = wiring.wire(settings.load(config, {}))
    try:
        form = {"MessageSid": "SM1", "AccountSid": ACCOUNT, "From": JAN, "To": OWN, "Body": "Mine burns"}
        raw = RawMessage(
            kind="twilio.sms",
            account="texts",
            lane=f"phone:{JAN}",
            body=urllib.parse.urlencode(form).encode(),
            received_at=datetime.now(UTC),
            envelope={"path": "message"},
        )
        blob = blobs.prepare(raw.body, wired.blob_folder)
        kept = wired.store.write_now(lambda tx: journal.keep(tx, raw, blob, []))
        received = wired.store.read_now(lambda tx: journal.load(tx, kept.id, wired.blob_folder))
        options = wired.settings.channels["texts"].options
        understood = loading.module_for("twilio.sms").parse(received.raw, options)
        wired.store.write_now(lambda tx: pipeline.settle(tx, wired.context, received, understood))
        (ticket,) = listing.tickets(wired.store, listing.Filters())
        wired.store.write_now(
            lambda tx: desk.reply(tx, wired.context, ticket["ref"], agent="ania", text="On our way.")
        )
    finally:
        wired.store.close()


async def daemon(config: Path, **more: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "intake",
        "run",
        "-c",
        str(config),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])} | more,
    )


def row(config: Path, *, is_due: bool = False) -> dict[str, Any]:
    """The answer's row in the outbox. is_due: let the time pass for which an unknown try is left alone."""
    with sqlite3.connect(config.parent / "var" / "intake.db") as connection:
        if is_due:
            connection.execute("UPDATE outbox SET next_at = next_at - ?", (attempts.LEASE_US,))
        connection.row_factory = sqlite3.Row
        (found,) = connection.execute("SELECT * FROM outbox WHERE medium = 'sms'").fetchall()
    connection.close()
    return dict(found)


async def test_a_killed_daemon_has_sent_once_and_the_next_finds_it(config: Path, provider: Provider) -> None:
    async with rest.serving(provider) as api_url:
        prepare(config, api_url)
        killed = await daemon(config, **{failpoints.VARIABLE: "outbox.after_deliver:1"})
        await asyncio.wait_for(killed.communicate(), 30)
        assert killed.returncode == -9
        assert attempts.is_unknown(row(config)["error"])
        row(config, is_due=True)
        second = await daemon(config)
        assert second.stdout is not None
        async with asyncio.timeout(30):
            lines = [line async for line in _until_found(second.stdout)]
        second.terminate()
        await asyncio.wait_for(second.communicate(), 30)
    assert FOUND in lines[-1], lines
    assert [each.body for each in provider.sent] == ["On our way."]
    assert row(config)["provider_id"] == provider.sent[0].sid


async def _until_found(output: asyncio.StreamReader) -> Any:
    async for line in output:
        yield line
        if FOUND in line:
            return
