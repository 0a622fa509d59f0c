"""Texts that are posted to two daemons on one database, several times and at once, are kept once each."""

from pathlib import Path

import pytest

from tests.phone import deliveries


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
