"""The torture of chats in small; in full: python -m tests.web.chat_torture."""

from pathlib import Path

import pytest

from tests.web.chat_torture import Torture


@pytest.mark.slow
async def test_nothing_is_lost_doubled_or_misplaced_when_pages_are_cut_and_the_daemon_is_killed(
    tmp_path: Path,
) -> None:
    torture = Torture(tmp_path, pages=25, lines=20, cut_s=0.4, restarts=2)
    found = await torture.run()
    assert found.faults == []
    assert (found.lines, found.answers > 0, found.connections > 50) == (500, True, True)
