"""Texts at once: posted to two daemons on one database, and first messages of one customer on several media."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from channels.contract import Fetched
from intake import fetches
from intake.store import blobs
from intake.store.engine import Store
from tests.domain.world import RULES
from tests.phone import deliveries
from tests.phone.texted_desk import CONVERSATIONS, Desk
from tests.phone.texting import form, whatsapp_form
from tests.store.racing import WRITERS, at_once

ROUNDS = 6


@pytest.fixture
def desk(store: Store, tmp_path: Path, clock: Any) -> Desk:
    (tmp_path / "blobs").mkdir()
    return Desk(store, tmp_path, clock, rules=RULES + CONVERSATIONS)


def test_first_messages_on_two_media_at_once_are_one_customer(desk: Desk) -> None:
    """Texts and WhatsApp messages of a new number, settled at once, some with an id and some without."""
    for number in range(ROUNDS):
        phone, user = f"+4860020{number:04d}", f"whatsapp:PL.{number}"
        chats = [whatsapp_form(f"{each}", From=f"whatsapp:{phone}", ExternalUserId=user) for each in range(4)]
        ids = [desk.journal_text(form(f"text {each}", From=phone)) for each in range(4)]
        ids += [desk.journal_text(each, kind="twilio.whatsapp", account="chats") for each in chats]
        at_once([partial(desk.settle_text, each) for each in ids])
        owners = {row["customer_id"] for row in desk.rows("messages", "journal_id >= :first", first=min(ids))}
        assert len(owners) == 1
    assert len(desk.rows("customers")) == ROUNDS
    assert len(desk.rows("identities")) == ROUNDS * 3
    assert len(desk.rows("tickets")) == ROUNDS * 2


def test_a_file_that_eight_fetch_at_once_is_kept_once(desk: Desk) -> None:
    media = {"NumMedia": "1", "MediaUrl0": "https://api.twilio.com/ME1", "MediaContentType0": "image/png"}
    desk.take(form("Look", **media))
    (wanted,), _ = desk.store.read_now(fetches.look)
    fetched = Fetched(b"a picture", "image/png")
    prepared = blobs.prepare(fetched.content, desk.folder)
    kept = at_once(
        [lambda: desk.store.write_now(lambda tx: fetches.keep(tx, wanted, fetched, prepared))] * WRITERS
    )
    assert sorted(kept) == [False] * (WRITERS - 1) + [True]
    assert [row["refs"] for row in desk.rows("blobs", "hash = :hash", hash=prepared.hash)] == [1]


@pytest.mark.postgres
async def test_two_daemons_on_one_database_keep_each_text_once(tmp_path: Path, postgres_url: str) -> None:
    outcome = await deliveries.through_two_journals(tmp_path, 300, store=postgres_url)
    assert outcome.is_right, outcome
    assert outcome.deliveries > 400


@pytest.mark.slow
@pytest.mark.postgres
async def test_two_daemons_keep_thousands_of_texts_once_each(tmp_path: Path, postgres_url: str) -> None:
    outcome = await deliveries.through_two_journals(tmp_path, 5_000, store=postgres_url, seed=3)
    assert outcome.is_right, outcome
