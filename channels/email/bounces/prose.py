"""Finds the addresses that failed in a report that only people were meant to read.

No list of servers: each address of the text is ranked by how it stands there. One alone on its line, or behind a label
like "Recipient:", is what the report is about; one beside a status code comes next, then one in a sentence about a
failure, then "To:" of a summary. The best rank that occurs is the answer; whoever wrote the returned mail, and whom to
ask for help, is not.
"""

import re
from collections.abc import Iterator
from itertools import islice

import msgspec

from channels.contract import BouncedRecipient
from channels.email import addresses
from channels.email.bounces import reasons, wording
from channels.email.bounces.returned import Report
from channels.email.bounces.status_report import MAX_DIAGNOSTIC_CHARS, MAX_RECIPIENTS, plain_address
from channels.email.headers import Headers

NAMED, IN_TRANSCRIPT, IN_SENTENCE, IN_SUMMARY, SOMEWHERE, FOR_HELP = range(6)
_MAX_FOUND = 120
_ADDRESS = re.compile(
    r"(?:\"[^\"\r\n]{1,60}\"|[A-Za-z0-9_.!#$%&'*+/=?^`{|}~-]{1,64})@(?:[A-Za-z0-9-]{1,63}\.){1,10}[A-Za-z][A-Za-z0-9-]{1,23}(?![A-Za-z0-9-]*@)|"
    r"(?<=<)[^\s<>@]{1,64}@(?:[^\s<>@.]{1,63}(?:\.[^\s<>@.]{1,63}){0,10}|\[[0-9.]{7,15}\])(?=>)"
)
_BEFORE_ALONE = re.compile(
    r"(?i)^[\s>*\-•·#|+]{0,20}(?:\d{1,3}[.)]\s)?(?:smtp:|rfc822;|mailto:|\(expanded from:|c=[^@]{0,80}dda:)?\s{0,8}[\"'<\[(]{0,3}$"
)
_BEFORE_NAMED = re.compile(
    r"^[\s>*\-•]{0,20}[\"']?[^<>@:\"\n]{1,60}?[\"']?\s*(?:<[^<>@]{1,40}@[^<>]{1,60}>\s*)?[<(]$|^[\s>*\-•]{0,20}[\"'][^<>\"\n]{1,80}[\"']\s*<$"
)
_AFTER_ALONE = re.compile(
    r"(?i)^[\"'>\])]{0,3}(?:[ \t]*$|[ \t]*[:;,(|]|\.{1,3}(?:\s|$|[A-Z])|[ \t]+[-–—=]|[ \t]+on [A-Z0-9]|\t| {2,}|[ \t]+(?:failed|delayed)\b|[ \t]+<)"
)
_CODE = re.compile(r"(?i)\brcpt to\b|(?<![\d.])[45]\d\d[- ]|[45]\.\d{1,2}\.\d{1,3}")
# Sendmail tells which address it had been given; Exim, too, but names the one behind it first.
_ALIAS = re.compile(
    r"(?i)(?:expanded from|originally addressed to|(generated from|original (?:recipient )?address:?))\s*(?::\s*)?[<\"']?$"
)
# One list: what holds of an address holds of the next one.
_BETWEEN = re.compile(
    r"(?i)[\"'>)\]]{0,3}\s{0,4}(?:[,;、]|[,;]?\s(?:and|und|et|y|e|i|en|och|og|и))\s{0,20}[\"'<(\[]{0,3}$"
)
_MAX_BETWEEN = 40
_MARKED = re.compile(r">(?: \((?:expanded|generated) from[^)\n]*\))?:")
_OFFICE = re.compile(r"(?i)(?:postmaster|mailer-daemon|abuse|help-?desk|hostmaster|mdaemon)@")
_SENTENCE_END = re.compile(r"[.!?。！？](?=\s|$)|\n[ \t]*\n")


class _Found(msgspec.Struct, frozen=True):
    address: str
    rank: int
    at: int


def recipients(report: Report, fields: Headers) -> tuple[BouncedRecipient, ...]:
    """The addresses that failed, each once, in the order of the report; () when it names none."""
    text = report.text
    named = [
        _Found(address, NAMED, max(text.find(address), 0))
        for field in fields.structured("x-failed-recipients")
        for address in _addresses(field)
    ]
    found = named or _best(_not_ours(list(_ranked(text)), report, fields))
    found = found or _elsewhere(report, fields)
    unique: dict[str, _Found] = {}
    for each in found:
        unique.setdefault(each.address.lower(), each)
    starts = sorted(each.at for each in unique.values())
    return tuple(_recipient(each, text, starts) for each in list(unique.values())[:MAX_RECIPIENTS])


def _addresses(text: str) -> list[str]:
    return [found[0] for found in islice(_ADDRESS.finditer(text), _MAX_FOUND)]


def _ranked(text: str) -> Iterator[_Found]:
    """Every address of the report with its rank; those that no failure can be about are left out."""
    end, rank = 0, None
    for match in islice(_ADDRESS.finditer(text), _MAX_FOUND):
        address = plain_address(match[0])
        is_next = (
            rank is not None
            and match.start() - end < _MAX_BETWEEN
            and _BETWEEN.match(text[end : match.start()])
        )
        rank = rank if is_next else _rank(text, match) if address else None
        end = match.end()
        if address and rank is not None:
            yield _Found(address, rank, match.start())


def _rank(text: str, match: re.Match[str]) -> int | None:
    begin = text.rfind("\n", 0, match.start()) + 1
    end = text.find("\n", match.end())
    before, after = (
        text[begin : match.start()][-200:],
        text[match.end() : end if end >= 0 else len(text)][:300],
    )
    alias = _ALIAS.search(before)
    if alias:
        return IN_SUMMARY if alias[1] or "@" in before else NAMED
    if wording.WRITER.search(before):
        return None
    if wording.TO.search(before):
        return IN_SUMMARY
    if wording.RECIPIENT.search(before):
        return NAMED
    is_alone = _BEFORE_ALONE.match(before) or (
        _BEFORE_NAMED.match(before) and not (wording.FAILED.search(before) or wording.HELP.search(before))
    )
    if is_alone and _AFTER_ALONE.match(after):
        is_marked = before.rstrip().endswith("<") and bool(_MARKED.match(after))
        others = {each.lower() for each in _addresses(after)} - {match[0].lower()}
        is_contact = bool(others) or bool(wording.HELP.search(_line_before(text, begin)))
        return NAMED if is_marked or not is_contact else FOR_HELP
    sentence = _sentence(text, match)
    if wording.HELP.search(sentence) and not _CODE.search(before + after):
        return FOR_HELP
    if _CODE.search(before + after):
        return IN_TRANSCRIPT
    return IN_SENTENCE if wording.FAILED.search(sentence) else SOMEWHERE


def _line_before(text: str, begin: int) -> str:
    """The line that an address on a line of its own goes on from; "" when that one has come to its end."""
    line = text[: max(begin - 1, 0)].rpartition("\n")[2].rstrip()[-200:]
    return "" if line.endswith((".", "!", "?")) else line


def _sentence(text: str, match: re.Match[str]) -> str:
    """The sentence around an address, over line breaks, not over empty lines; at most 400 characters each way."""
    head, tail = text[max(0, match.start() - 400) : match.start()], text[match.end() : match.end() + 400]
    ends = list(_SENTENCE_END.finditer(head))
    following = _SENTENCE_END.search(tail)
    sentence = (
        (head[ends[-1].end() :] if ends else head) + " " + (tail[: following.start()] if following else tail)
    )
    return " ".join(sentence.split())


def _not_ours(found: list[_Found], report: Report, fields: Headers) -> list[_Found]:
    """Without the sender of the report, whom it was sent to, and whoever wrote the mail; unless nobody else is named."""
    own = {
        each.address.lower()
        for name in ("from", "to", "reply-to")
        for each in addresses.parse(fields.structured(name))
    }
    writers = own | report.writers()
    others = [each for each in found if each.address.lower() not in writers]
    strangers = [each for each in others if not _OFFICE.match(each.address)]
    if any(each.rank < SOMEWHERE for each in strangers):
        return strangers
    return (
        [each for each in found if each.rank == NAMED and each.address.lower() not in own]
        or others
        or [each for each in found if each.rank == NAMED]
    )


def _best(found: list[_Found]) -> list[_Found]:
    """Those of the best rank; one that only occurs somewhere counts when it is the only one."""
    rank = min((each.rank for each in found), default=FOR_HELP)
    best = [each for each in found if each.rank == rank]
    if rank == FOR_HELP or (rank == SOMEWHERE and len({each.address.lower() for each in best}) > 1):
        return []
    return best


def _elsewhere(report: Report, fields: Headers) -> list[_Found]:
    """Where the report names nobody in full: a bare name, the subject, the recipient of what came back."""
    subject = plain_address(fields.text("subject"))
    known = report.recipient()
    for address in (*_bare(report.text, known, fields), subject, known):
        if address:
            return [_Found(address, NAMED, 0)]
    return []


_BARE = re.compile(
    r"(?im)^[ \t>*-]{0,12}<?([A-Za-z0-9][A-Za-z0-9._+-]{1,63})>?[ \t]*(?:\([^)\n]{4,60}\)|(?:user unknown|unknown user|no such user|not found|no matches)\b[^\n]*)?$|"
    r"\b(?:unknown user|user unknown|invalid user|no such user|user not found)[ \t]*[:-][ \t]*[\"'<]{0,2}([A-Za-z0-9][A-Za-z0-9._+-]{1,63})[\"'>]{0,2}[ \t]*$|"
    r"\b(?:user|mailbox|account|recipient)[ \t]+[\"'<]{0,2}([A-Za-z0-9][A-Za-z0-9._+-]{1,63})[\"'>]{0,2}[ \t]+(?:\([^)\n]{1,60}\) )?(?:is )?(?:not|unknown|does|doesn't|over|has)\b"
)
_COMMON = frozenset(
    {
        "unknown",
        "is",
        "was",
        "does",
        "not",
        "mailbox",
        "account",
        "name",
        "has",
        "hi",
        "hello",
        "sorry",
        "regards",
        "error",
        "warning",
        "to",
        "subject",
    }
)


def _bare(text: str, known: str, fields: Headers) -> list[str]:
    """A name without a domain, below a heading about a failure: the server's own domain is meant, or that of `known`."""
    senders = addresses.parse(fields.structured("from"))
    domain = senders[0].address.rpartition("@")[2] if senders else ""
    for found in _BARE.finditer(text[:4_000]):
        name = found[1] or found[2] or found[3]
        if name.lower() in _COMMON or (found[1] and not _is_below_heading(text, found.start(1))):
            continue
        if known and known.partition("@")[0].lower() == name.lower():
            return [known]
        return [f"{name}@{domain}"] if domain and not known else []
    return []


def _is_below_heading(text: str, at: int) -> bool:
    """Whether the line before ends a sentence about a failure with a colon, or is a ruler that says so."""
    head = text[max(0, at - 300) : at].rstrip(" \t\n<>*")
    return head.endswith((":", "---", "===", "***")) and bool(wording.FAILED.search(head))


def _recipient(found: _Found, text: str, starts: list[int]) -> BouncedRecipient:
    """One address with the code and the words that stand with it, up to the next one's."""
    following = next((each for each in starts if each > found.at), len(text))
    line = text.rfind("\n", 0, found.at) + 1
    nearby = text[line : min(following, found.at + 1_500)]
    status = (
        reasons.status_in(nearby) or reasons.status_in(text[:line][-600:]) or reasons.status_in(text[:4_000])
    )
    said = nearby if reasons.status_in(nearby) or len(starts) > 1 or line > 0 else text
    diagnostic = " ".join(said.split())[:MAX_DIAGNOSTIC_CHARS]
    reason = reasons.reason_of(status, diagnostic)
    if reason in {"", "other", "policy"}:
        reason = reasons.reason_of(status, text[:4_000]) or reason
    return BouncedRecipient(found.address, status, is_permanent(text, found.at), diagnostic, reason)


def is_permanent(text: str, at: int = 0) -> bool:
    """Whether words say that the server has given up, which is what a report is for unless it says that it keeps trying.

    Where both are said, of different addresses, the last before `at` counts, else what comes first.
    """
    head = text[:6_000]
    tries: list[int] = [each.start() for each in wording.KEEPS_TRYING.finditer(head)]
    if not tries:
        return True
    ends = [each.start() for each in wording.GIVEN_UP.finditer(head)]
    if not ends:
        return False
    last_try = max((each for each in tries if each < at), default=-1)
    last_end = max((each for each in ends if each < at), default=-1)
    if last_try == last_end:
        return min(ends) < min(tries)
    return last_end > last_try
