"""`intake ingest -` behind a mail server ends with 0, 65 or 75, whatever happens, and knows who wrote to whom."""

import argparse
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import pytest

from intake import cli, pipe
from intake.commands import piping, settling
from intake.store import lockfile
from tests.cli.test_cli_ingest import mail

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
Intake = Any


def envelope(desk: Path) -> dict[str, Any]:
    """The envelope of the newest row of the journal."""
    with sqlite3.connect(desk / "var" / "intake.db") as store:
        [text] = store.execute("SELECT envelope FROM journal ORDER BY id DESC LIMIT 1").fetchone()
    store.close()
    found: dict[str, Any] = json.loads(text)
    return found


def journalled(desk: Path) -> int:
    path = desk / "var" / "intake.db"
    if not path.exists():
        return 0
    with sqlite3.connect(path) as store:
        [count] = store.execute("SELECT count(*) FROM journal").fetchone()
    store.close()
    return int(count)


@pytest.fixture(autouse=True)
def no_mail_server(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SENDER", "RECIPIENT", "ORIGINAL_RECIPIENT", "LOCAL_PART", "DOMAIN"):
        monkeypatch.delenv(name, raising=False)


POSTMARK = b"From ann@example.net  Mon Mar  2 10:00:00 2026\n"


@pytest.mark.parametrize(
    ("arguments", "environ", "top", "expected"),
    [
        ((), {}, b"", {"peer": "pipe"}),
        (("--sender", "a@b.c", "--recipient", "s@example.com", "--recipient", "<t@example.com>"), {"SENDER": "x@y.z", "RECIPIENT": "u@v.w"}, POSTMARK,
         {"peer": "pipe", "sender": "a@b.c", "recipients": ["s@example.com", "t@example.com"]}),
        (("--sender", "<>"), {}, POSTMARK, {"peer": "pipe", "sender": ""}),
        (("--sender", ""), {}, b"", {"peer": "pipe", "sender": ""}),
        ((), {"SENDER": "a@b.c", "RECIPIENT": "desk@host.example", "ORIGINAL_RECIPIENT": "support+ref@example.com"}, POSTMARK,
         {"peer": "pipe", "sender": "a@b.c", "recipients": ["support+ref@example.com", "desk@host.example"]}),
        ((), {"SENDER": "a@b.c", "RECIPIENT": "s@example.com", "ORIGINAL_RECIPIENT": "s@example.com"}, b"",
         {"peer": "pipe", "sender": "a@b.c", "recipients": ["s@example.com"]}),
        ((), {"SENDER": "MAILER-DAEMON", "RECIPIENT": "s@example.com"}, b"", {"peer": "pipe", "sender": "", "recipients": ["s@example.com"]}),
        ((), {"SENDER": "", "LOCAL_PART": "support", "DOMAIN": "example.com"}, b"", {"peer": "pipe", "sender": "", "recipients": ["support@example.com"]}),
        ((), {}, POSTMARK, {"peer": "pipe", "sender": "ann@example.net"}),
        ((), {}, b"From MAILER-DAEMON Mon Mar  2 10:00:00 2026\r\n", {"peer": "pipe", "sender": ""}),
        ((), {"SENDER": "not an address", "RECIPIENT": "x", "ORIGINAL_RECIPIENT": "a@b\n.c"}, b"", {"peer": "pipe"}),
        ((), {"RECIPIENT": "a" * 2_000 + "@b.c"}, b"", {"peer": "pipe"}),
    ],
)  # fmt: skip
def test_the_envelope_is_what_the_mail_server_says(
    arguments: tuple[str, ...], environ: dict[str, str], top: bytes, expected: dict[str, Any]
) -> None:
    """Options before the environment before the postmark; bad addresses are nobody's."""
    parser = argparse.ArgumentParser()
    piping.configure(parser)
    body, postmark = piping.without_postmark(top + mail(1))
    assert body == mail(1)
    assert piping.envelope_of(parser.parse_args(arguments), environ, postmark) == expected


def test_the_postmark_and_the_environment_are_read(
    intake: Intake, desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECIPIENT", "support@example.com")
    assert intake("ingest", "-", stdin=POSTMARK + mail(1)).code == 0
    assert envelope(desk) == {
        "peer": "pipe",
        "sender": "ann@example.net",
        "recipients": ["support@example.com"],
    }
    assert intake("journal", "export", "1").out == mail(1).decode(), "the postmark is no part of the mail"


def test_one_mail_to_two_addresses_of_ours_is_one_ticket(intake: Intake, desk: Path) -> None:
    """A mail server runs the pipe once for each recipient."""
    for recipient in ("support@example.com", "sales@example.com"):
        assert intake("ingest", "-", "--recipient", recipient, stdin=mail(1)).code == 0
    assert len(intake("tickets", "list", "--json").objects) == 1
    assert [row["state"] for row in intake("journal", "list", "--json").objects] == ["ticket", "duplicate"]


@pytest.mark.parametrize("content", [b"", POSTMARK + b"\r\n \t"])
def test_nothing_is_no_mail(intake: Intake, desk: Path, content: bytes) -> None:
    assert intake("ingest", "-", stdin=content).code == 65
    assert journalled(desk) == 0


def test_a_mail_over_the_accounts_limit_is_at_fault_and_read_to_its_end(intake: Intake, desk: Path) -> None:
    config = desk / "config" / "intake.yaml"
    config.write_text(
        config.read_text().replace("kind: email.smtp", "kind: email.smtp\n    max_size_bytes: 2000")
    )
    done = intake("ingest", "-", stdin=mail(1) + b"x" * 3_000_000)
    assert (done.code, journalled(desk)) == (65, 0)
    assert "larger than 2000 bytes" in done.err


def broken_rules(desk: Path) -> None:
    (desk / "config" / "rules.yaml").write_text("route: [")


def broken_config(desk: Path) -> None:
    (desk / "config" / "intake.yaml").write_text("channels: {")


def no_config(desk: Path) -> None:
    shutil.rmtree(desk / "config")


def unset_secret(desk: Path) -> None:
    config = desk / "config" / "intake.yaml"
    config.write_text(config.read_text().replace("name: Example Support", "name: ${NOT_SET_ANYWHERE}"))


def config_is_a_folder(desk: Path) -> None:
    (desk / "config" / "intake.yaml").unlink()
    (desk / "config" / "intake.yaml").mkdir()


def data_is_a_file(desk: Path) -> None:
    shutil.rmtree(desk / "var")
    (desk / "var").write_text("")


def store_is_junk(desk: Path) -> None:
    (desk / "var" / "intake.db").write_bytes(b"not a database at all" * 1_000)


def store_of_another_version(desk: Path) -> None:
    (desk / "var" / "intake.db").unlink()
    with sqlite3.connect(desk / "var" / "intake.db") as store:
        store.executescript(
            "CREATE TABLE alembic_version (version_num TEXT); INSERT INTO alembic_version VALUES ('9999')"
        )
    store.close()


def disk_is_full(desk: Path) -> None:
    config = desk / "config" / "intake.yaml"
    config.write_text(config.read_text() + "\nlimits: {min_free_disk_bytes: 9000000000000000}\n")


FAULTS = [
    broken_rules, broken_config, no_config, unset_secret, config_is_a_folder, data_is_a_file, store_is_junk, store_of_another_version, disk_is_full,
]  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_ours_is_try_again(intake: Intake, desk: Path, fault: Any) -> None:
    fault(desk)
    done = intake("ingest", "-", stdin=mail(1))
    assert done.code == 75
    assert done.err.strip(), "and somebody hears why"
    assert "Traceback" not in done.err
    assert not done.err[:1].isdigit(), "Postfix reads a leading 5.1.1 as the status"


def test_missing_keys_beside_a_store_with_mail_are_try_again(intake: Intake, desk: Path) -> None:
    assert intake("ingest", "-", stdin=mail(1)).code == 0
    (desk / "var" / "keys.json").unlink()
    assert intake("ingest", "-", stdin=mail(2)).code == 75
    assert journalled(desk) == 1


@pytest.mark.slow
def test_a_store_that_somebody_keeps_locked_is_try_again(intake: Intake, desk: Path) -> None:
    """It is waited for as long as the store waits, and no longer."""
    assert intake("ingest", "-", stdin=mail(1)).code == 0
    holder = sqlite3.connect(desk / "var" / "intake.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    try:
        assert intake("ingest", "-", stdin=mail(2)).code == 75
    finally:
        holder.close()
    assert intake("ingest", "-", stdin=mail(2)).code == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("-", "--no-such-option"), ("-", "--account"), ("-", "--account", "nobody"), ("-", "--kind", "sms"), ("-", "other.eml"), ("-c", "gone.yaml", "-"), ("-", "-"),
    ],
)  # fmt: skip
def test_a_mistake_in_the_mail_servers_command_is_try_again(
    intake: Intake, desk: Path, arguments: tuple[str, ...]
) -> None:
    assert intake("ingest", *arguments, stdin=mail(1)).code == 75


def test_after_the_commit_every_end_is_a_good_one(
    intake: Intake, desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A settlement that crashes must not have the mail sent again, or back."""

    async def crash(*_: object, **__: object) -> None:
        raise RuntimeError("while settling")

    monkeypatch.setattr(settling, "settle_all", crash)
    assert intake("ingest", "-", stdin=mail(1)).code == 0
    assert journalled(desk) == 1


def test_beside_a_daemon_it_does_not_wait_for_long(
    intake: Intake, desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(piping, "SETTLE_S", 0.05)
    assert intake("tickets", "list").code == 0
    with lockfile.acquire(desk / "var"):
        done = intake("ingest", "-", "--json", stdin=mail(1))
    assert (done.code, journalled(desk)) == (0, 1)
    assert done.objects == [
        {"taken": 0, "duplicates": 0, "automatic": 0, "quarantined": 0, "pending": 1, "refused": 0}
    ]


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RecursionError(),
        ImportError("libssl.so.3"),
        KeyboardInterrupt(),
        BrokenPipeError(),
        OSError(28, "full"),
        SystemExit(1),
        SystemExit("x"),
        GeneratorExit(),
    ],
)
def test_whatever_is_raised_is_try_again(error: BaseException, capsys: pytest.CaptureFixture[str]) -> None:
    def command() -> int:
        raise error

    assert pipe.run(command) == 75


@pytest.mark.parametrize(
    ("code", "ended"), [(0, 0), (65, 65), (75, 75), (1, 75), (2, 75), (130, 75), (-9, 75), (True, 75)]
)
def test_other_codes_are_try_again(code: int, ended: int) -> None:
    assert pipe.run(lambda: code) == ended


def test_files_end_as_before(intake: Intake, desk: Path) -> None:
    assert intake("ingest", "gone.eml").code in (1, 2)
    assert not pipe.is_pipe(["ingest", "a.eml"], cli.COMMANDS)
    assert not pipe.is_pipe(["tickets", "note", "-"], cli.COMMANDS)


@pytest.mark.parametrize(
    "words", [("-c", "x.yaml", "ingest", "-"), ("ingst", "-"), ("--account", "support", "-")]
)
def test_a_mistake_before_the_command_is_try_again(intake: Intake, words: tuple[str, ...]) -> None:
    """Postfix sends a mail back for 2, "wrong input"."""
    assert intake(*words, stdin=mail(1)).code == 75


class Piped:
    """The command in a process of its own, as a mail server runs it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def start(self, *arguments: str, before: str = "", **options: Any) -> subprocess.Popen[bytes]:
        code = f"import sys\n{before}\nfrom intake.__main__ import main\nsys.exit(main())"
        command = [sys.executable, "-c", code, "ingest", "-", *arguments]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        environ = os.environ | {"PYTHONPATH": str(ROOT)}
        process = subprocess.Popen(command, cwd=self.folder, env=environ, **(pipes | options))
        return cast("subprocess.Popen[bytes]", process)

    def run(self, content: bytes, *arguments: str, before: str = "", **options: Any) -> int:
        process = self.start(*arguments, before=before, **options)
        process.communicate(content, timeout=30)
        return process.returncode


@pytest.fixture
def piped(desk: Path) -> Piped:
    return Piped(desk)


def test_a_module_that_is_missing_or_broken_is_try_again(piped: Piped) -> None:
    """What a half-finished upgrade looks like: an import that fails, at whatever depth."""
    for name in ("msgspec", "channels.email.files"):
        assert piped.run(mail(1), before=f"sys.modules[{name!r}] = None") == 75, name


@pytest.mark.slow
def test_a_signal_before_the_commit_is_try_again(piped: Piped) -> None:
    """A shutdown kills the pipe while it waits for the rest of the mail."""
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        process = piped.start(
            before="import intake.commands.piping as p\nr = p.read\ndef read(*a, **k):\n    sys.stderr.write('reading\\n'); sys.stderr.flush(); return r(*a, **k)\np.read = read"
        )
        assert process.stdin is not None
        assert process.stderr is not None
        process.stdin.write(b"From: a@b.c\r\n")
        process.stdin.flush()
        assert process.stderr.readline() == b"reading\n"
        process.send_signal(number)
        assert process.wait(10) == 75
        for stream in (process.stdin, process.stderr, process.stdout):
            assert stream is not None
            stream.close()


@pytest.mark.slow
def test_closed_standard_streams_change_nothing(piped: Piped, desk: Path) -> None:
    """A mail server may run it with stdout gone; Python would end with 120."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        assert piped.run(mail(1), "--json", stdout=writer, stderr=writer) == 0
    finally:
        os.close(writer)
    assert journalled(desk) == 1
    assert piped.run(b"", before="import os; os.close(1); os.close(2); sys.stdout = sys.stderr = None") == 65


@pytest.mark.slow
def test_no_stdin_is_try_again(piped: Piped) -> None:
    assert piped.run(b"", before="import os; os.close(0); sys.stdin = None") == 75


@pytest.mark.slow
def test_a_process_that_may_open_nothing_more_is_try_again(piped: Piped) -> None:
    """The limit on open files is reached once everything is loaded."""
    before = (
        "import resource, intake.commands.ingest, intake.wiring, intake.store.migrating\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (4, 4))"
    )
    assert piped.run(mail(1), before=before) == 75


@pytest.mark.slow
def test_a_disk_quota_in_the_midst_of_writing_is_try_again(piped: Piped, desk: Path) -> None:
    """RLIMIT_FSIZE: writing past it is a signal and an error; nothing half-written is taken."""
    assert piped.run(mail(1)) == 0
    before = "import resource, signal\nresource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))"
    assert piped.run(mail(2) + b"x" * 200_000, before=before) == 75
    assert piped.run(mail(2) + b"x" * 200_000) == 0
    assert journalled(desk) == 2


def test_a_folder_that_may_not_be_written_is_try_again(piped: Piped, desk: Path) -> None:
    shutil.rmtree(desk / "var")
    (desk / "var").symlink_to("/proc")  # where nobody may write, not even root
    assert piped.run(mail(1)) == 75


@pytest.mark.slow
def test_many_at_once_are_all_taken_once(piped: Piped, intake: Intake) -> None:
    """Four pipes at the same moment, two of them with the same mail: three tickets, no fault, nothing left to do."""
    processes = [piped.start() for _ in range(4)]
    for process, number in zip(processes, (1, 2, 3, 3), strict=True):
        assert process.stdin is not None
        process.stdin.write(mail(number))
        process.stdin.close()
        process.stdin = None
    codes = []
    for process in processes:
        process.communicate(timeout=60)
        codes.append(process.returncode)
    assert codes == [0, 0, 0, 0]
    states = sorted(row["state"] for row in intake("journal", "list", "--json").objects)
    assert states == ["duplicate", "ticket", "ticket", "ticket"]
