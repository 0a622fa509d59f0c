"""`intake twilio setup` and the doctor, run: what is said, what is set, and how it ends."""

import contextlib
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from intake import cli
from tests.phone.outage import OWN
from tests.phone.served import Served


class WithDoor(Served):
    """Our daemon's door beside it."""

    door = ""

    @contextlib.asynccontextmanager
    async def beside(self) -> AsyncIterator[None]:
        app = web.Application()
        runner = web.AppRunner(app, access_log=None)
        app.router.add_post("/hooks/{account}/check", self._checked)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.door = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield
        await runner.cleanup()

    async def _checked(self, _: web.Request) -> web.Response:
        return web.Response(text='<?xml version="1.0" encoding="UTF-8"?><Response/>')


@pytest.fixture
def served() -> Iterator[WithDoor]:
    with WithDoor() as served:
        yield served


@pytest.fixture
def config(tmp_path: Path, served: WithDoor) -> Path:
    written = tmp_path / "intake.yaml"
    written.write_text(
        f"""
http: {{public_url: "{served.door}"}}
channels:
  texts:
    kind: twilio.sms
    account_sid: {served.provider.account}
    auth_token: {served.provider.token}
    api_url: {served.url}
    numbers: ["{OWN}"]
"""
    )
    return written


def ran(config: Path, capsys: pytest.CaptureFixture[str], *more: str) -> tuple[int, list[dict[str, Any]]]:
    code = cli.main(["twilio", "setup", "-c", str(config), "--json", *more])
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return code, lines


def test_check_says_what_is_wrong_and_changes_nothing(
    served: WithDoor, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, lines = ran(config, capsys, "--check")
    wrong = [line for line in lines if line["state"] == "wrong"]
    assert code == 1
    assert [(line["number"], line["setting"], line["is"]) for line in wrong] == [(OWN, "SmsUrl", "")]
    assert wrong[0]["should"].startswith(f"{served.door}/hooks/texts/message#")
    assert served.provider.numbers[OWN].settings == {}
    assert ran(config, capsys, "--dry-run", "texts")[0] == 1


def test_setup_is_done_once_and_then_found_right(
    served: WithDoor, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, lines = ran(config, capsys)
    assert (code, [line["state"] for line in lines]) == (0, ["set"])
    changed = len(served.provider.asked_for(served_number(served)))
    code, lines = ran(config, capsys)
    assert (code, [line["state"] for line in lines]) == (0, ["right"])
    assert len(served.provider.asked_for(served_number(served))) == changed == 1
    assert ran(config, capsys, "--check")[0] == 0


def served_number(served: WithDoor) -> str:
    return f"IncomingPhoneNumbers/{served.provider.numbers[OWN].sid}"


def test_a_refused_change_fails_and_says_why(
    served: WithDoor, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    served.provider.numbers[OWN].settings["sms_application_sid"] = "AP1"
    config.write_text(config.read_text().replace(served.provider.token, "wrong-token"))
    code, lines = ran(config, capsys)
    assert code == 1
    assert any("do not belong together" in line["message"] for line in lines)
    assert not any("wrong-token" in json.dumps(line) for line in lines)


def test_the_doctor_says_the_same_with_the_command_that_mends_it(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["doctor", "-c", str(config)]) == 1
    said = capsys.readouterr().out
    assert f"texts: error: {OWN}: SmsUrl is not set" in said
    assert "intake twilio setup texts" in said
    assert ran(config, capsys)[0] == 0
    assert cli.main(["doctor", "-c", str(config)]) == 0


def test_an_account_that_is_none_of_twilios_is_refused(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["twilio", "setup", "-c", str(config), "mail"]) == 2
    assert "there is texts" in capsys.readouterr().err


def test_a_number_in_two_accounts_of_a_kind_is_refused(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Setup would enter the one's address, then the other's, for ever."""
    [texts] = [line for line in config.read_text().split("channels:\n") if line.lstrip().startswith("texts")]
    config.write_text(config.read_text() + texts.replace("  texts:", "  more:"))
    assert cli.main(["twilio", "setup", "-c", str(config)]) == 2
    assert (
        f"'more' and 'texts' are both of kind twilio.sms and have the number {OWN}" in capsys.readouterr().err
    )


def test_a_number_in_accounts_of_two_kinds_is_as_it_should_be(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    [texts] = [line for line in config.read_text().split("channels:\n") if line.lstrip().startswith("texts")]
    phone = texts.replace("  texts:", "  phone:").replace("twilio.sms", "twilio.voice")
    config.write_text(config.read_text() + phone)
    assert ran(config, capsys)[0] == 0
