"""Tells a report of a failed delivery from a mail in which a person speaks of one.

Only some reports say what they are. For the others what speaks for a machine is weighed against what speaks for a
person; where no sign of a machine is left but the words, it stays a person's mail: a bounce read as a ticket is seen by
somebody, a customer read as a bounce is not.
"""

import re

import re2

from channels.contract import Address
from channels.email.bounces import prose, returned, wording
from channels.email.headers import Headers
from channels.email.structure import Part

_ENOUGH = 8
_MACHINE_POINTS = 4
_HINT_POINTS = 2
_DAEMON = re2.compile(
    r"(?i)^(?:mailer-?daemon|mail-?daemon|mdaemon|mail\.delivery\.(?:system|subsystem)|mail-?delivery|mail-?deamon|mail_delivery_subsystem|ndr|bounce-?daemon|maildelivery\w*)\b"
)
_OFFICE = re2.compile(
    r"(?i)\b(?:mail delivery|delivery (?:sub)?system|mailer-daemon|system administrator|mail system|mail administrator|mail server|mail delivery|mail router|smtp)|"
    r"smtp|(?:^|[\W_])(?:gateway|mailgate|antivirus|mailscan\w*|imss|viruswall|mailserver|mail-server|mta)(?:$|[\W_])|microsoft (?:exchange|outlook)|mail-?daemon|邮件系统|系统管理员|システム管理者"
)
_POSTMASTER = re.compile(r"(?i)^(?:post_?master|root|administrator|admin|mailer|mail)\b")
_FORWARD = re.compile(
    r"(?i)^\s*(?:re|aw|sv|vs|antw|odp|ynt|res|rif|r|fwd?|wg|tr|vb|enc|i|pd|rv|doorst|fs|przek)\s*(?:\[\d+\])?\s*[:：]\s*"
)
_CLIENT = re.compile(
    r"(?i)thunderbird|outlook|apple mail|iphone|ipad|evolution|kmail|mutt|roundcube|horde|squirrelmail|the bat|claws|sylpheed|eudora|zimbra|rainloop|"
    r"airmail|spark|android|k-9|mailspring|webmail|entourage|pegasus|gnus|alpine|opera|geary|em ?client"
)
_GREETING = re2.compile(
    r"(?i)^\W{0,3}(?:(?:hi|hey|hej|hei|hola|ciao|moin|boa|salut)\b|hello|dear |good (?:morning|day|evening)|hallo|guten|sehr geehrte|liebe|bonjour|bonsoir|madame|"
    r"buen[oa]s|estimad|ol[áa]|bom dia|prezad|buongiorno|gentil|dzie[ńn] dobry|witam|cze[śs][ćc]|szanown|dobr[ýy] den|goddag|beste|geachte|здравствуйте|добрый|уважаем|привет|доброго|"
    r"καλημέρα|γεια|お世話|こんにちは|您好|你好|안녕)"
)
# Only a program introduces itself so.
_PROGRAM = re.compile(r"(?i)^\W*hi[.!]\s+this is the ")
_MACHINE = re2.compile(
    r"(?i)^\W*hi\. this is the|created automatically by|automatically generated|do not reply|auto-?generated|this is the (?:mail|email) (?:system|server)|mail delivery (?:sub)?system"
)
_AUTOMATIC_PRECEDENCE = frozenset({"bulk", "junk", "auto_reply", "auto-reply", "list"})
_OPENING_CHARS = 1_200


def is_bounce(
    fields: Headers, root: Part, *, sender: Address | None, envelope_sender: str | None, text: str
) -> bool:
    """Whether a mail that declares no report is one all the same. envelope_sender: None = unknown. text: the readable text."""
    if "x-failed-recipients" in fields:
        return True
    local, name = _named(fields, sender)
    if _DAEMON.match(local):
        return True
    of_sender = _of_sender(fields, local, name, envelope_sender)
    of_subject = _of_subject(fields.text("subject"))
    # Most mail ends here: neither its sender nor its subject hints at a report.
    if of_sender + of_subject < 2 and not _PROGRAM.match(text):
        return False
    points = of_sender + of_subject + _of_person(fields, text)
    opening = " ".join(text[:_OPENING_CHARS].split())
    if not wording.FAILED.search(opening) and not (of_sender > 0 and of_subject > 0):
        return False
    report = returned.read(root, text)
    found = prose.recipients(report, fields)
    if not found or (sender and [each.address.lower() for each in found] == [sender.address.lower()]):
        return points >= _ENOUGH
    has_status = any(each.status for each in found)
    # An absence note has the null path, too, and names whom to write to instead.
    if of_subject <= 0 and not has_status and not _is_office(local, name) and not _PROGRAM.match(text):
        return False
    points += 3 + 2 * has_status
    points += 6 * bool(_PROGRAM.search(opening)) + 2 * bool(
        _MACHINE.search(opening) or report.original is not None
    )
    points += 1 if wording.YOURS.search(opening) else -2 * bool(wording.MINE.search(opening[:300]))
    return points >= _ENOUGH


def _is_office(local: str, name: str) -> bool:
    return bool(
        _OFFICE.search(name) or _OFFICE.search(local) or _POSTMASTER.match(local) or _POSTMASTER.match(name)
    )


def is_machine(fields: Headers, *, sender: Address | None, envelope_sender: str | None) -> bool:
    """Whether the sender shows that a machine wrote this, or hints at it and the subject does, too.

    Where a report is at hand that is enough.
    """
    local, name = _named(fields, sender)
    points = _of_sender(fields, local, name, envelope_sender)
    if points >= _MACHINE_POINTS or _DAEMON.match(local):
        return True
    has_hint = points >= _HINT_POINTS or bool(_POSTMASTER.match(local))
    return has_hint and _of_subject(fields.text("subject")) > 0


def _named(fields: Headers, sender: Address | None) -> tuple[str, str]:
    """Local part and name of the sender; one without an address (Courier's "<@>") still has a name."""
    if sender is None:
        return "", fields.text("from")[:200]
    return sender.address.rpartition("@")[0] or sender.address, sender.name


def has_null_path(fields: Headers, envelope_sender: str | None) -> bool:
    """Whether nothing may be answered to it (RFC 5321 §4.5.5), as the envelope or what it left in the mail says."""
    path = fields.first("return-path").replace(" ", "").lower()
    return envelope_sender == "" or path in {"<>", "<mailer-daemon>"} or path.startswith("<mailer-daemon@")


def _of_sender(fields: Headers, local: str, name: str, envelope_sender: str | None) -> int:
    points = 4 if has_null_path(fields, envelope_sender) else 0
    if not local or "@" not in fields.first("from"):
        points += 2
    if _OFFICE.search(name) or _OFFICE.search(local):
        points += 4
    elif _POSTMASTER.match(local) or _POSTMASTER.match(name):
        points += 2
    precedence = (fields.first("precedence") or fields.first("x-precedence")).strip().lower()
    submitted = fields.first("auto-submitted").strip().lower()
    if precedence in _AUTOMATIC_PRECEDENCE or submitted.startswith("auto-") or "x-autogenerated" in fields:
        points += 2
    if "x-ms-embedded-report" in fields or "x-dsncontext" in fields:
        points += 4
    if envelope_sender:
        points -= 1
    elif envelope_sender is None and "return-path" not in fields:
        points += 1  # nobody says who sent it: a report's own words weigh more
    return points


def _of_subject(subject: str) -> int:
    """A subject about a failure speaks for a report, an answer to one or a forwarded one for a person."""
    prefix = _FORWARD.match(subject)
    found = wording.FAILED.search(subject, prefix.end() if prefix else 0)
    if prefix and (not found or found.start() < prefix.end() + 30):
        return -6
    return 4 if found else 0


def _of_person(fields: Headers, text: str) -> int:
    points = 0
    client = fields.first("user-agent")[:200] or fields.first("x-mailer")[:200]
    if client and _CLIENT.search(client):
        points -= 4
    if fields.raw("in-reply-to") or fields.raw("references"):
        points -= 2
    if _GREETING.search(text[:200]) and not _MACHINE.search(text[:_OPENING_CHARS]):
        points -= 3
    return points
