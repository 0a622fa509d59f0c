"""Keeps the figures of a long torture run beside those of the bench."""

from bench.results import Results
from tests.torture.kills import Figures

PART = "torture"
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
