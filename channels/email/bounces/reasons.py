"""Why a delivery failed, in one stable word, from the enhanced status code (RFC 3463) and from what the server said.

The words: mailbox_unknown, mailbox_moved, mailbox_disabled, mailbox_full, domain_unknown, address_syntax, too_large,
blocked (the sender's host or address is refused), spam, virus, content, authentication (SPF, DKIM, DMARC, reverse DNS),
relay_denied, rate_limited, no_answer, timeout (given up after trying for long), loop, tls, protocol, system, policy,
other; "" = nothing was said. The words a server writes decide where its code is vague, because many servers answer
"550 5.1.1" or "550 5.7.1" to everything.
"""

import re

_ENHANCED = re.compile(r"(?<![\d.])([245])[.,](\d{1,2})[.,](\d{1,3})(?![\d.]|,\d)")
_PSEUDO = re.compile(r"#\s?([245])\.(\d{1,2})\.(\d{1,3})")
_REPLY_CODE = re.compile(r"(?<![\d.:/#=_A-Za-z-])([45])([0-5])\d(?![\d.:]|[A-Za-z]|-\d)")

# RFC 3463 §3 and the IANA registry of enhanced status codes (checked 2026-11), without the class.
_OF_STATUS = {
    "1.0": "mailbox_unknown", "1.1": "mailbox_unknown", "1.2": "domain_unknown", "1.3": "address_syntax", "1.4": "mailbox_unknown",
    "1.6": "mailbox_moved", "1.7": "address_syntax", "1.8": "authentication", "1.10": "domain_unknown", "2.1": "mailbox_disabled",
    "2.2": "mailbox_full", "2.3": "too_large", "2.4": "loop", "3.0": "system", "3.1": "system", "3.2": "system", "3.4": "too_large", "3.5": "system",
    "4.0": "no_answer", "4.1": "no_answer", "4.2": "no_answer", "4.3": "domain_unknown", "4.4": "domain_unknown", "4.5": "rate_limited", "4.6": "loop", "4.7": "timeout",
    "5.0": "protocol", "5.1": "protocol", "5.2": "protocol", "5.3": "rate_limited", "5.4": "protocol", "5.5": "protocol",
    "6.0": "content", "6.1": "content", "6.2": "content", "6.3": "content", "6.5": "content", "6.6": "content",
    "7.0": "policy", "7.1": "policy", "7.2": "policy", "7.4": "tls", "7.5": "tls", "7.10": "tls", "7.20": "authentication", "7.21": "authentication",
    "7.22": "authentication", "7.23": "authentication", "7.24": "authentication", "7.25": "authentication", "7.26": "authentication", "7.27": "authentication", "7.28": "rate_limited",
}  # fmt: skip
_OF_SUBJECT = {
    "1": "mailbox_unknown",
    "2": "mailbox_disabled",
    "3": "system",
    "4": "no_answer",
    "5": "protocol",
    "6": "content",
    "7": "policy",
}
# Said for want of anything better: words tell more.
_VAGUE = frozenset({"0.0", "1.0", "1.1", "2.0", "2.1", "3.0", "4.0", "4.7", "5.0", "7.0", "7.1", ""})

_WORDS = (
    ("loop", r"\bmail (?:is )?loop|\btoo many hops|hop count (?:exceed|too)|routing loop|loops? (?:back )?(?:detected|to myself)|forwarding loop"),
    ("mailbox_full", (r"(?:mailbox|inbox|maildir|account|quota)\b[^\n]{0,40}\b(?:full|exceed\w*|overquota|limit)|over ?quota|quota (?:is )?(?:exceed|full|reached)|exceed\w*[^\n]{0,25}(?:quota|storage|mailbox)|"
        r"out of (?:storage|disk) ?space|not enough (?:storage )?space|insufficient (?:system )?storage|mailbox_full|voll\b|(?:llena|pleine|piena|cheia|přeplněn|przepełnion|переполнен)|満杯|容量|已满|已滿")),
    ("mailbox_disabled", r"(?:account|mailbox|user|recipient|address|e-?mail)\b[^\n]{0,40}\b(?:disabled|suspended|inactive|deactivated|locked|closed|expired|terminated|frozen|blocked by the owner)|deactivated mailbox|not active"),
    ("mailbox_moved", r"\b(?:user|recipient|mailbox|address) (?:has )?(?:moved|changed)|has moved to|no longer (?:uses|at)|moved permanently"),
    ("domain_unknown", (r"host (?:or domain name )?(?:unknown|not found)|(?:unknown|no such|invalid|non-?existent) (?:host|domain)|domain[^\n]{0,25}(?:not found|does ?n[o']t exist|unknown|invalid)|name (?:service|or service)[^\n]{0,20}(?:error|not known|found)|"
        r"unrouteable (?:mail )?domain|nxdomain|couldn't find any host|no mx|null ?mx|does not accept mail|all relevant mx records point to non-existent|dns (?:error|failure|lookup)|domain of sender|unable to (?:resolve|route)")),
    ("mailbox_unknown", (r"(?:user|recipient|mailbox|account|address|addressee|receiver|alias|local part|person|mail box|login|customer|subscriber|inbox)s?\b[^\n]{0,50}\b(?:unknown|not (?:be )?(?:found|known|exist|valid|recogni[sz]ed|listed|registered|here|a member|our customer)|(?:does|do|did)(?: not|n't) (?:exist|have)|doesn.t exist|invalid|unavailable|reject|no longer)|"
        r"(?:unknown|no such|invalid|non-?existent|bad|undeliverable|not a (?:valid|known|local))[^\n]{0,12}\b(?:user|recipient|mailbox|account|address|alias|addressee|receiver|local|person)|"
        r"unroute?able address|no mailbox here|not our customer|isn't here|this user doesn't have|name is not recogni[sz]ed|not listed in|could not be found|wasn't found|couldn't be found|recipnotfound|recipient (?:address )?rejected|"
        r"unbekannt|existiert nicht|inconnu|n'existe pas|desconocid|no existe|desconhecid|n[ãa]o existe|sconosciut|inesistente|onbekend|nieznan|nie istnieje|neexistuje|не существует|не найден|неизвестн|存在しません|不存在|见つかりません|見つかりません")),
    ("too_large", r"too (?:large|big|long message)|exceed\w*[^\n]{0,40}(?:message |mail |maximum |max\.? |fixed )?\bsize|size (?:limit|exceed)|message length exceed|larger than|zu gro[ßs]"),
    ("virus", r"\bvirus|malware|infected|trojan|phishing"),
    ("authentication", r"\bspf\b|\bdkim\b|\bdmarc\b|sender policy framework|reverse dns|\bptr\b|rdns|unauthenticated email|sender id\b|domain of sender address"),
    ("spam", r"\bspam\b|unsolicited|\bjunk\b|\bbulk mail|spamassassin|spam-?like|\buce\b|looks like spam"),
    ("rate_limited", r"too many (?:messages|connections|recipients|errors|concurrent)|rate[- ]?limit|throttl|over rate|message rate|gr[ea]ylist|too fast|sending limit|quota for sending|try again later.{0,40}(?:rate|volume)"),
    ("blocked", r"\bblock(?:ed|list|ing)?\b|black-?list|\brbl\b|dnsbl|spamhaus|spamcop|barracuda|sorbs|bad reputation|poor reputation|\breputation\b|access denied|client host rejected|banned|refused by (?:recipient|policy|the)|listed (?:in|at|by)|denylist"),
    ("relay_denied", r"relay(?:ing)?\b[^\n]{0,30}\b(?:denied|not (?:permitted|allowed)|prohibited|refused|access)|(?:unable|not (?:permitted|allowed)|we do not|cannot) to? ?relay|rcpthosts|not a gateway|does not relay"),
    ("tls", r"\bstarttls\b|\btls\b[^\n]{0,30}\b(?:required|fail|error)|certificate"),
    ("timeout", r"(?:delivery|message|retry) (?:time|timeout)[^\n]{0,15}(?:expired|exceeded)|queue too long|retry time(?:out)? (?:not reached|exceeded)|could not be delivered for|too long in queue|message expired|delivery expired|giv(?:en|ing) up"),
    ("no_answer", r"connection (?:timed out|refused|reset|dropped|lost)|timed? ?-?out|timeout|no route to host|network (?:is )?unreachable|(?:could|can)(?:not| not|n't) connect|unable to connect|no answer|not respond|host (?:is )?(?:down|unreachable)|lost connection|conversation with"),
    ("policy", r"policy|not (?:authori[sz]ed|permitted|allowed)|prohibited|permission|restricted|only accept|moderat|requires? (?:authentication|approval)|refused|rejected|denied|not accepting"),
    ("content", r"content|attachment|format(?:ting)? error|bare (?:lf|line)|header"),
    ("protocol", r"syntax error|command|protocol|bad sequence"),
    ("system", r"configuration|local error|internal (?:server )?error|disk full|i/o error|temporar|resources|mail system"),
)  # fmt: skip
_PATTERNS = tuple((reason, re.compile("(?i)" + pattern)) for reason, pattern in _WORDS)


def status_in(text: str) -> str:
    """The enhanced status code in a text; from a reply code of SMTP only its class, as "5.0.0"; "" when there is none.

    Where several stand, the first that says more than its class.
    """
    found = [
        (int(match[2]), int(match[3]), match[1])
        for pattern in (_ENHANCED, _PSEUDO)
        for match in pattern.finditer(text)
        if int(match[2]) <= 7
    ]
    telling = next((each for each in found if each[:2] != (0, 0) and each[2] != "2"), None)
    chosen = telling or next((each for each in found if each[2] != "2"), None)
    if chosen:
        return f"{chosen[2]}.{chosen[0]}.{chosen[1]}"
    code = _REPLY_CODE.search(text)
    return f"{code[1]}.0.0" if code else ""


def sharpened(status: str, diagnostic: str) -> str:
    """A status that only names its class, made precise by a code in the diagnostic text of the same class."""
    if status and not status.endswith(".0.0"):
        return status
    said = status_in(diagnostic)
    return said if said and (not status or said[0] == status[0]) else status


def reason_of(status: str, diagnostic: str = "") -> str:
    """The stable word; "" when neither code nor words say anything."""
    detail = status.partition(".")[2]
    known = _OF_STATUS.get(detail) or _OF_SUBJECT.get(detail.partition(".")[0], "")
    if known and detail not in _VAGUE:
        return known
    text = diagnostic[:2_000]
    said = next((reason for reason, pattern in _PATTERNS if pattern.search(text)), "")
    if said in {"", "system", "protocol", "content", "policy"} and known and known != "protocol":
        return known
    return said or known or ("other" if text.strip() or status else "")
