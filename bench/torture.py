"""Keeps the figures of long torture runs beside those of the bench."""

from collections.abc import Mapping

from bench.results import Results
from tests.imap.torture import Figures as MailboxFigures
from tests.phone.calls_torture import PERSON_S
from tests.phone.calls_torture import Figures as CallFigures
from tests.phone.deliveries import Outcome
from tests.torture.clock_jumps import Figures as JumpFigures
from tests.torture.escalations import Figures as EscalationFigures
from tests.torture.kills import Figures

PART = "torture"
BROKEN_MAIL = "broken mail"
MAILBOX = "mailbox"
ESCALATIONS = "escalations"
JUMPS = "clock jumps"
DAYS = "assignment"
ZONES = "zones"
CALLS = "calls"
WEBHOOKS = "webhooks"
WALKS = "walks"
CAUGHT_UP_S = 5.0
RECOVERY_S = 3.0


def record(figures: Figures) -> None:
    """Write what a run showed. With no loss in n trials the rate is below 3/n with 95 % confidence."""
    results = Results()
    results.begin(PART, is_quick=False)
    summary = figures.summary()
    broken = figures.broken()
    head = [
        "Kills",
        "at failpoints",
        "while starting",
        "Acknowledged",
        "Lost",
        "Twice",
        "Other broken promises",
        "Seed",
    ]
    others = sum(count for name, count in broken.items() if name not in ("lost", "twice"))
    row = [
        figures.kills,
        sum(figures.at_failpoints.values()),
        figures.while_starting,
        figures.acked(),
        broken.get("lost", 0),
        broken.get("twice", 0),
        others,
        figures.seed,
    ]
    results.table(PART, "SIGKILL under SMTP load", head, [[str(cell) for cell in row]])
    recovery_s = float(str(summary["recovery_p99_s"]))
    results.line(
        PART,
        "From start to the greeting after a kill, p99",
        recovery_s,
        target=RECOVERY_S,
        unit="s",
        less_is_better=True,
    )
    if not broken and figures.acked():
        results.note(
            PART,
            f"Nothing was lost or came twice: below {3 / figures.acked():.1e} a mail and {3 / figures.kills:.1e} a kill with 95 % confidence.",
        )


def record_broken_mail(count: int, *, p99_s: float, slowest_s: float, memory_bytes: int) -> None:
    """Write what a run through broken mails showed, none of which failed."""
    results = Results()
    results.begin(BROKEN_MAIL, is_quick=False)
    for what, figure, target, unit in (
        ("99 of 100 broken mails take less than", p99_s * 1000, 50, "ms of a processor"),
        ("The slowest of them", slowest_s * 1000, 2_000, "ms of a processor"),
        ("Memory of a process that reads them", memory_bytes / 2**20, 256, "MiB"),
    ):
        results.line(BROKEN_MAIL, what, figure, target=target, unit=unit, less_is_better=True)
    results.note(
        BROKEN_MAIL,
        f"{count} mails: none raised, lost a file or came out empty; below {3 / count:.1e} with 95 % confidence.",
    )


def record_mailbox(figures: MailboxFigures) -> None:
    """Write what a run on a mailbox showed that is numbered anew while its daemon is killed."""
    results = Results()
    results.begin(MAILBOX, is_quick=False)
    head = [
        "Mails",
        "Renumberings",
        "Kills",
        "Lost",
        "Twice",
        "Gaps of the ledger",
        "Tracebacks",
        "Seconds",
        "Seed",
    ]
    row = [
        figures.mails,
        figures.changes,
        figures.kills,
        figures.broken.get("lost", 0),
        figures.broken.get("twice", 0),
        figures.gaps,
        figures.tracebacks,
        round(figures.elapsed_s),
        figures.seed,
    ]
    results.table(
        MAILBOX, "A mailbox by IMAP, its daemon killed at each step", head, [[str(cell) for cell in row]]
    )


def record_escalations(figures: EscalationFigures) -> None:
    """Write what a run showed whose daemon was killed while tickets escalated within seconds."""
    results = Results()
    results.begin(ESCALATIONS, is_quick=False)
    verdict = figures.verdict
    head = [
        "Escalations",
        "Tickets",
        "Kills",
        "at failpoints",
        "while starting",
        "Mails",
        "Notices in digests",
    ]
    head += ["Missed or twice", "Tracebacks", "Seconds", "Seed"]
    row = [
        verdict.fired,
        figures.tickets,
        figures.kills,
        sum(figures.at_failpoints.values()),
        figures.while_starting,
        verdict.mails,
        verdict.digested,
        sum(verdict.counts.values()),
        figures.tracebacks,
        round(figures.elapsed_s),
        figures.seed,
    ]
    results.table(ESCALATIONS, "SIGKILL while tickets escalate", head, [[str(cell) for cell in row]])
    if figures.is_clean() and verdict.fired:
        results.note(
            ESCALATIONS,
            f"Each was taken once, at its instant or late: below {3 / verdict.fired:.1e} an escalation with 95 % confidence."
            f" {figures.sent_again} mails were sent again over a kill, with the same Message-ID.",
        )


def record_jumps(figures: JumpFigures) -> None:
    """Write what a run showed whose wall clock jumped."""
    results = Results()
    results.begin(JUMPS, is_quick=False)
    head = ["Jumps of 2 h", "Suspended", "Timers", "Missed or twice", "Tracebacks", "By", "Seconds", "Seed"]
    row = [
        figures.jumps,
        figures.stops,
        figures.verdict.fired,
        sum(figures.verdict.counts.values()),
        figures.tracebacks,
        figures.way,
        round(figures.elapsed_s),
        figures.seed,
    ]
    results.table(JUMPS, "The wall clock is set while tickets escalate", head, [[str(cell) for cell in row]])
    results.line(
        JUMPS,
        "From a jump until the last timer that it made due has fired",
        figures.slowest_s,
        target=CAUGHT_UP_S,
        unit="s",
        less_is_better=True,
    )


def record_days(days: int) -> None:
    """Write that so many days were right at every instant; a day that is not ends its run."""
    results = Results()
    results.begin(DAYS, is_quick=False)
    results.note(
        DAYS,
        f"{days} random days of random desks: no cap was exceeded, nobody able was idle while a ticket waited for them, and"
        " whoever was given one was its fair owner, at every instant.",
    )


def record_zones(zones: int, changes: int, calendars: int, wrong: int) -> None:
    """Write how every zone's changes of clocks were counted, against a walker that looks at each minute."""
    results = Results()
    results.begin(ZONES, is_quick=False)
    head = ["Zones", "Changes of clocks 2020-2040", "Calendars at each", "Wrong"]
    row = [str(each) for each in (zones, changes, calendars, wrong)]
    results.table(ZONES, "Open time across every change of clocks", head, [row])


def record_calls(figures: CallFigures) -> None:
    """Write what a run showed in which everybody called at once and nobody behaved."""
    results = Results()
    results.begin(CALLS, is_quick=False)
    head = ["Calls", "at once", "Agents", "Phones rung", "Webhooks", "sent again", "never sent"]
    head += [
        "Answered",
        "Voicemail",
        "Missed",
        "Hung up in the menu",
        "Kills",
        "Broken promises",
        "Tracebacks",
        "Seconds",
        "Seed",
    ]
    ended = [figures.ended[each] for each in ("answered", "voicemail", "missed", "hung_up")]
    row = [
        figures.calls,
        figures.callers,
        figures.agents,
        figures.rings,
        figures.webhooks,
        figures.doubled,
        figures.lost,
    ]
    row += [
        *ended,
        figures.kills,
        len(figures.broken),
        figures.tracebacks,
        round(figures.elapsed_s),
        figures.seed,
    ]
    results.table(CALLS, "Callers and agents who do anything", head, [[str(each) for each in row]])
    results.line(
        CALLS,
        "Until a phone rings for somebody who presses nothing but wrong keys",
        figures.person_s,
        target=PERSON_S,
        unit="s of the caller's time",
        less_is_better=True,
    )
    if figures.is_right:
        results.note(
            CALLS,
            "Each call ended with one owner, with a message, or because the caller hung up or said nothing; no phone rang twice"
            f" for a call, nor for two at once: below {3 / figures.calls:.1e} a call with 95 % confidence.",
        )


def record_webhooks(outcome: Outcome) -> None:
    """Write what became of texts that were posted several times."""
    results = Results()
    results.begin(WEBHOOKS, is_quick=False)
    head = ["Texts", "Posts", "Answered with 200", "Twice", "Lost"]
    answered = outcome.statuses.get(200, 0)
    row = [str(each) for each in (outcome.texts, outcome.deliveries, answered, outcome.extra, outcome.lost)]
    what = "Signed webhooks, three in ten posted two to five times at once, shuffled"
    results.table(WEBHOOKS, what, head, [row])


def record_walks(ends: Mapping[str, int]) -> None:
    """Write how walks of dice through the call machine ended; one that breaks a rule ends its run."""
    results = Results()
    results.begin(WALKS, is_quick=False)
    ended = ", ".join(f"{count} {end}" for end, count in sorted(ends.items()))
    results.note(
        WALKS,
        f"{sum(ends.values())} random calls through the machine alone: each came to an end, none with two owners or a phone that rang"
        f" twice for it ({ended}).",
    )
