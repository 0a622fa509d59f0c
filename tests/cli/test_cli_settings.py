"""intake.yaml is read with every problem at its place, and its secrets stay inside."""

from pathlib import Path

import pytest

from intake import redaction, settings
from routing.problems import ConfigError

SHIPPED = Path(__file__).parents[2] / "config" / "intake.yaml"
CHANNELS = "channels: {mail: {kind: email.smtp, addresses: [a@example.com]}}\n"


def written(folder: Path, text: str) -> Path:
    path = folder / "intake.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def complaints(folder: Path, text: str, environ: dict[str, str] | None = None) -> list[str]:
    path = written(folder, text)
    with pytest.raises(ConfigError) as caught:
        settings.load(path, environ or {})
    return [str(each).removeprefix(f"{path}:") for each in caught.value.problems]


def test_the_shipped_file_listens_on_loopback_and_writes_mail_into_the_data_folder() -> None:
    found = settings.load(SHIPPED, {})
    mail = found.channels["support"]
    assert mail.kind == "email.smtp"
    assert mail.options.listen == "127.0.0.1:2525"
    assert set(mail.options.addresses) == {"support@example.com"}
    assert mail.options.outgoing.folder == "var/outgoing"
    assert found.http.listen == "127.0.0.1:8080"
    assert (found.store, found.folder) == ("", Path("var"))
    assert found.rules == SHIPPED.parent / "rules.yaml"


def test_each_variable_of_the_shipped_file_moves_what_it_names() -> None:
    environ = {
        "INTAKE_SMTP": "127.0.0.1:9025",
        "INTAKE_HTTP": "127.0.0.1:9080",
        "INTAKE_DATA": "/srv/second",
        "INTAKE_RULES": "/etc/second.yaml",
        "INTAKE_STORE": "postgresql://desk@db/intake",
        "INTAKE_ADDRESS": "sales@example.org",
    }
    found = settings.load(SHIPPED, environ)
    mail = found.channels["support"].options
    assert mail.listen == "127.0.0.1:9025"
    assert mail.addresses == ("support@example.com", "sales@example.org")
    assert mail.outgoing.folder == "/srv/second/outgoing"
    assert found.http.listen == "127.0.0.1:9080"
    assert (found.folder, found.rules) == (Path("/srv/second"), Path("/etc/second.yaml"))
    assert found.store == "postgresql://desk@db/intake"


def test_every_problem_of_a_file_is_told_at_once_and_in_order(tmp_path: Path) -> None:
    text = (
        "name: 12\n"
        "htp: {}\n"
        'folder: "${NOPE}"\n'
        "limits: {auto_replies_per_address_hour: -1}\n"
        "http: {listen: nowhere}\n"
        "channels:\n"
        "  Sup: {kind: email.smtp}\n"
        "  a: {kind: email.smpt}\n"
        "  b: {listen: x}\n"
        "  c: {kind: email.smtp, tls: {}}\n"
    )
    assert complaints(tmp_path, text) == [
        "1:7: error[wrong-type] wanted text, got the number 12 — put it in quotes",
        "2:1: error[unknown-key] no key 'htp' here — did you mean 'http'?",
        "3:9: error[unset-variable] the environment variable NOPE is not set — export NOPE=…, or write a default: ${NOPE:-value}",
        "4:41: error[wrong-type] wanted a whole number at least 0, got the number -1",
        "5:7: error[bad-value] listen is written like 127.0.0.1:8080, not 'nowhere'",
        "7:3: error[bad-name] 'Sup' cannot name an account — small letters, digits, - and _, a letter first",
        "8:13: error[unknown-kind] there is no channel kind 'email.smpt' — did you mean 'email.smtp'?",
        "9:6: error[missing-key] 'kind' is missing — for example kind: email.smtp",
        "10:30: error[missing-key] 'certificate' is missing — wanted: text",
    ]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "1:1: error[wrong-type]"),
        ("- 1\n", "1:1: error[wrong-type]"),
        ("name: x\n", "1:1: error[missing-key] 'channels' is missing"),
        ("channels: {}\n", "1:1: error[no-channel]"),
        (CHANNELS + "name: [\n", "3:1: error[syntax]"),
        (CHANNELS + "name: a\nname: b\n", "3:1: error[duplicate-key]"),
        (CHANNELS + 'folder: ""\n', "2:9: error[wrong-type]"),
        (CHANNELS + "log: {level: loud}\n", "2:14: error[bad-value]"),
        (CHANNELS + "heartbeat: {url: ftp://x}\n", "2:18: error[wrong-type]"),
        (CHANNELS + 'name: "${oops"\n', "2:7: error[bad-variable]"),
        (CHANNELS + "silence_alarm: {}\n", "2:16: error[missing-key] 'open_hours' is missing"),
        (CHANNELS + "http: {public_url: help.example.com}\n", "2:7: error[bad-value] public_url"),
        (CHANNELS + "files: {clamd: clamav}\n", "2:8: error[bad-value] clamd is written like 127.0.0.1:3310"),
    ],
)
def test_a_wrong_file_is_refused_at_the_wrong_place(tmp_path: Path, text: str, complaint: str) -> None:
    found = complaints(tmp_path, text)
    assert len(found) == 1
    assert found[0].startswith(complaint)


def test_a_missing_file_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="intake init"):
        settings.load(tmp_path / "none.yaml", {})


def test_a_default_stands_in_for_an_unset_and_an_empty_variable(tmp_path: Path) -> None:
    path = written(tmp_path, CHANNELS + 'name: "${WHO:-Desk}"\n')
    assert [settings.load(path, environ).name for environ in ({}, {"WHO": ""}, {"WHO": "Acme"})] == [
        "Desk",
        "Desk",
        "Acme",
    ]


def test_an_unquoted_variable_is_read_as_what_it_looks_like(tmp_path: Path) -> None:
    path = written(
        tmp_path, CHANNELS + "limits: {auto_replies_per_address_hour: ${N}}\n".replace("${N}", "'x'")
    )
    with pytest.raises(ConfigError):
        settings.load(path, {})
    path = written(tmp_path, CHANNELS + "limits:\n  auto_replies_per_address_hour: ${N}\n")
    assert settings.load(path, {"N": "7"}).limits.auto_replies_per_address_hour == 7


def test_two_dollars_write_a_plain_brace(tmp_path: Path) -> None:
    assert settings.load(written(tmp_path, CHANNELS + 'name: "$${X}"\n'), {}).name == "${X}"


def test_a_variable_cannot_bring_yaml_of_its_own(tmp_path: Path) -> None:
    path = written(tmp_path, CHANNELS + "name: ${WHO}\n")
    assert settings.load(path, {"WHO": "x\nstore: sqlite:////tmp/other"}).store == ""


def test_an_account_sends_as_the_top_level_says_unless_it_says_otherwise(tmp_path: Path) -> None:
    text = (
        "outgoing: {folder: common}\n"
        "channels:\n"
        "  a: {kind: email.smtp}\n"
        "  b: {kind: email.smtp, outgoing: {folder: own}}\n"
    )
    channels = settings.load(written(tmp_path, text), {}).channels
    assert [channels[name].options.outgoing.folder for name in "ab"] == ["common", "own"]


SECRETS = (
    'store: "postgresql://desk:canary-one@db/x"\n'
    "outgoing: {relay: smtps://mail.example.com, username: u, password: canary-two}\n"
    "channels: {mail: {kind: email.smtp, auth: {users: {ann: canary-three}}}}\n"
    'name: "${TOKEN_NAME}"\n'
)


def test_secrets_are_known_once_the_file_is_read(tmp_path: Path) -> None:
    settings.load(written(tmp_path, SECRETS), {"TOKEN_NAME": "Desk"})
    said = redaction.redacted("canary-one canary-two canary-three Desk")
    assert said == "*** *** *** Desk"


def test_a_problem_beside_a_secret_does_not_tell_it(tmp_path: Path) -> None:
    text = SECRETS.replace("canary-two", "[canary-two]").replace("username: u", "password_: canary-two")
    said = "\n".join(
        complaints(tmp_path, text + "limits: {min_free_disk_bytes: canary-three}\n", {"TOKEN_NAME": "x"})
    )
    assert "canary" not in said
    assert said.count("\n") >= 1


def test_settings_print_without_secrets(tmp_path: Path) -> None:
    found = settings.load(written(tmp_path, SECRETS), {"TOKEN_NAME": "Desk"})
    assert "canary" not in f"{found!r} {found.outgoing!r}"
