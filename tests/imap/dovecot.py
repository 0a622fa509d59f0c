"""A real Dovecot on loopback, from a folder of its own, without privileges; mailboxes are Maildirs in it."""

import contextlib
import os
import pwd
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import imapclient

PASSWORD = "correct-horse"
START_S = 10
_PATHS = (os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin")
_CONFIG = """
protocols = imap
listen = 127.0.0.1
base_dir = {base}/run
state_dir = {base}/state
log_path = {base}/dovecot.log
default_internal_user = {user}
default_login_user = {user}
default_internal_group = {group}
default_client_limit = 500
default_process_limit = 50
ssl = no
disable_plaintext_auth = no
mail_location = maildir:{base}/mail/%u
mail_uid = {uid}
mail_gid = {gid}
first_valid_uid = 1
first_valid_gid = 1
mailbox_idle_check_interval = 1 secs
imap_idle_notify_interval = 1 min
auth_mechanisms = plain login
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={base}/home/%u
}}
namespace inbox {{
  inbox = yes
  separator = /
}}
service imap-login {{
  chroot =
  process_min_avail = 1
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
auth_failure_delay = 0
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
"""


def program() -> str | None:
    """The path of dovecot; None where it is not installed."""
    return shutil.which("dovecot", path=os.pathsep.join(_PATHS))


class Dovecot:
    """Running. Every user name logs in with PASSWORD and has mailboxes of their own."""

    def __init__(self, base: Path, port: int) -> None:
        self.base = base
        self.port = port

    @contextlib.contextmanager
    def client(self, user: str) -> Iterator[imapclient.IMAPClient]:
        """Log in as the person whose mailbox it is."""
        with imapclient.IMAPClient("127.0.0.1", self.port, ssl=False, timeout=10) as client:
            client.login(user, PASSWORD)
            yield client

    def deliver(
        self, user: str, *bodies: bytes, folder: str = "INBOX", flags: tuple[bytes, ...] = ()
    ) -> None:
        with self.client(user) as client:
            if not client.folder_exists(folder):
                client.create_folder(folder)
            for body in bodies:
                client.append(folder, body, flags=flags)

    def renumber(self, user: str) -> None:
        """Give the INBOX another UIDVALIDITY and number its mails anew, as a restored backup does."""
        folder = self.base / "mail" / user
        uids = folder / "dovecot-uidlist"
        found = re.match(r"3 V(\d+) ", uids.read_text())
        assert found is not None
        for name in ("dovecot.index", "dovecot.index.log", "dovecot.index.cache"):
            (folder / name).unlink(missing_ok=True)
        uids.write_text(f"3 V{int(found[1]) + 7} N1\n")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _person() -> pwd.struct_passwd:
    return pwd.getpwnam("nobody") if os.getuid() == 0 else pwd.getpwuid(os.getuid())


@contextlib.contextmanager
def running() -> Iterator[Dovecot]:
    """Start it and end it. Raises: RuntimeError with its own words when it does not start."""
    found = program()
    if found is None:
        raise RuntimeError("dovecot is not installed: apt-get install -y dovecot-imapd")
    person = _person()
    base = Path(tempfile.mkdtemp(prefix="dc", dir="/tmp"))
    port = _free_port()
    config = base / "dovecot.conf"
    group = _group(person.pw_gid)
    config.write_text(
        _CONFIG.format(
            base=base, user=person.pw_name, group=group, uid=person.pw_uid, gid=person.pw_gid,
            port=port, password=PASSWORD,
        )
    )  # fmt: skip
    is_root = os.getuid() == 0
    if is_root:
        os.chown(base, person.pw_uid, person.pw_gid)
    process = subprocess.Popen(
        [found, "-F", "-c", str(config)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        user=person.pw_uid if is_root else None,
        group=person.pw_gid if is_root else None,
        extra_groups=[] if is_root else None,
    )
    try:
        _wait_until_it_greets(process, port, base)
        yield Dovecot(base, port)
    finally:
        process.terminate()
        _, _ = process.communicate(timeout=10)
        shutil.rmtree(base, ignore_errors=True)


def _group(gid: int) -> str:
    import grp

    return grp.getgrgid(gid).gr_name


def _wait_until_it_greets(process: subprocess.Popen[bytes], port: int, base: Path) -> None:
    limit = time.monotonic() + START_S
    while time.monotonic() < limit and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1) as probe:
            probe.settimeout(2)
            if probe.recv(4) == b"* OK":
                return
        time.sleep(0.02)
    log = base / "dovecot.log"
    process.terminate()
    _, words = process.communicate(timeout=10)
    said = words.decode(errors="replace") + (log.read_text(errors="replace") if log.exists() else "")
    raise RuntimeError(f"dovecot does not start: {said[-2000:]}")
