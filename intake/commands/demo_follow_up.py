"""A customer of the demo answers what the daemon sent: found in the outgoing folder, as a mail program would show it."""

import email
import email.policy
import time
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid, parseaddr
from pathlib import Path

from intake import instants

LOOK_S = 0.1


def wait_for(folder: Path, mail: EmailMessage, *, wait_s: float) -> EmailMessage | None:
    """Give the mail in the folder that answers this one; None when none comes in time."""
    deadline = time.monotonic() + wait_s
    seen: set[Path] = set()
    while True:
        for path in sorted(folder.glob("*.eml")) if folder.is_dir() else ():
            if path in seen:
                continue
            seen.add(path)
            found = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
            if isinstance(found, EmailMessage) and _answers(found, mail):
                return found
        if time.monotonic() > deadline:
            return None
        time.sleep(LOOK_S)


def _answers(found: EmailMessage, mail: EmailMessage) -> bool:
    return str(mail["Message-ID"]) in str(found.get("In-Reply-To", ""))


def answer_to(acknowledgement: EmailMessage, mail: EmailMessage) -> tuple[EmailMessage, str]:
    """Write the customer's answer; it, and the address it goes to."""
    to = str(acknowledgement.get("Reply-To") or acknowledgement["From"])
    answer = EmailMessage()
    answer["From"] = mail["From"]
    answer["To"] = to
    answer["Subject"] = f"Re: {acknowledgement['Subject']}"
    answer["Date"] = format_datetime(instants.now())
    answer["Message-ID"] = make_msgid(domain=parseaddr(str(mail["From"]))[1].rpartition("@")[2])
    answer["In-Reply-To"] = acknowledgement["Message-ID"]
    answer["References"] = f"{mail['Message-ID']} {acknowledgement['Message-ID']}"
    said = f"On {acknowledgement['Date']}, {acknowledgement['From']} wrote:"
    quoted = "\n".join(f"> {line}" for line in _text_of(acknowledgement).splitlines())
    answer.set_content(f"One more thing: the new address is 12 Station Road.\n\n{said}\n{quoted}\n")
    return answer, parseaddr(to)[1]


def _text_of(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    return str(body.get_content()) if body is not None else ""
