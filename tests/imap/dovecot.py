"""A real Dovecot on loopback, from a folder of its own, without privileges; mailboxes are Maildirs in it."""

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.imap.mail_server import PASSWORD, MailServer, free_port, wait_until_it_greets

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
    """The path of dovecot; None where it is not installed, or is 2.4, which has another language for its settings."""
    found = shutil.which("dovecot", path=os.pathsep.join(_PATHS))
    if found is None:
        return None
    version = subprocess.run([found, "--version"], capture_output=True, text=True, timeout=10, check=False)
    return found if version.stdout.startswith(("2.2.", "2.3.")) else None


class Dovecot(MailServer):
    """Every name logs in, and has mailboxes by doing so."""


def _person() -> pwd.struct_passwd:
    return pwd.getpwnam("nobody") if os.getuid() == 0 else pwd.getpwuid(os.getuid())


@contextlib.contextmanager
def running() -> Iterator[Dovecot]:
    """Start it and end it. Raises: RuntimeError with its own words when it does not start."""
    found = program()
    if found is None:
        raise RuntimeError("dovecot 2.3 is not installed: apt-get install -y dovecot-imapd")
    person = _person()
    base = Path(tempfile.mkdtemp(prefix="dc", dir="/tmp"))
    port = free_port()
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
        wait_until_it_greets(process, port, base / "dovecot.log")
        yield Dovecot(base, port)
    finally:
        process.terminate()
        _, _ = process.communicate(timeout=10)
        shutil.rmtree(base, ignore_errors=True)


def _group(gid: int) -> str:
    import grp

    return grp.getgrgid(gid).gr_name
