"""The links of notices through a whole daemon: from the notice in the outgoing folder to the button's answer."""

import re
import shutil
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.daemon.conftest import ROOT, Start
from tests.daemon.test_daemon_agent_mail import ANNA, text_of, wait_for_mail

pytestmark = pytest.mark.slow


def asked(method: str, url: str) -> tuple[int, str]:
    request = urllib.request.Request(url, method=method, data=b"" if method == "POST" else None)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_button_of_the_notice_acknowledges(start: Start, tmp_path: Path) -> None:
    """Assigned to anna: her notice has both links; opening one shows the page, its button says that she looks at it."""
    shutil.copytree(ROOT / "config", tmp_path / "config")
    settings = tmp_path / "config" / "intake.yaml"
    settings.write_text(
        settings.read_text().replace("http:\n", "http:\n  public_url: https://help.example.com\n")
    )
    rules = tmp_path / "config" / "rules.yaml"
    rules.write_text(rules.read_text().replace(", hours: office}", "}"))  # whatever the hour of the test is
    daemon = start().greeted()
    daemon.send("I need a copy of my invoice.")
    notice = text_of(wait_for_mail(daemon, ANNA, 1))
    found = re.search(r"https://help\.example\.com(/n/ack/\S+)", notice)
    assert found is not None
    url = f"{daemon.http}{found[1]}"
    status, page = asked("GET", url)
    assert (status, "I look at it" in page) == (200, True)
    (ticket,) = daemon.objects("tickets", "list")
    assert asked("GET", url[:-1])[0] == 404
    status, page = asked("POST", url)
    assert (status, "You look at it." in page) == (200, True)
    (shown,) = daemon.objects("tickets", "show", ticket["ref"])
    assert shown["looked_at"]["by"] == "anna"
    assert url.rpartition(".")[2] not in "".join(daemon.said)
