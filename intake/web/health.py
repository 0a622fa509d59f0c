"""Whether the daemon can do its work, part by part: the answer of /readyz."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec


class Part(msgspec.Struct, frozen=True, omit_defaults=True):
    """One part of the daemon. detail: one sentence when there is something to say; figures: counts and ages (s)."""

    is_ok: bool = msgspec.field(name="ok")
    detail: str = ""
    figures: Mapping[str, Any] = {}


class Readiness(msgspec.Struct, frozen=True):
    """parts: name ("store", "channels", "journal", "outbox", …) -> Part. Ready when every part is."""

    parts: Mapping[str, Part]

    @property
    def is_ready(self) -> bool:
        return all(part.is_ok for part in self.parts.values())

    def body(self) -> dict[str, Any]:
        """Give the JSON of /readyz."""
        return {"ready": self.is_ready, "parts": msgspec.to_builtins(self.parts)}


MAX_JOURNAL_LAG_S = 60.0
MAX_OUTBOX_AGE_S = 3600.0
MAX_TIMER_LATE_S = 60.0


def store_part(problem: str) -> Part:
    """Judge the store. problem: what the last write or look at the disk said, "" = nothing."""
    return Part(is_ok=not problem, detail=problem)


def channels_part(listening: Mapping[str, bool], *, troubles: Iterable[str] = ()) -> Part:
    """Judge the accounts. listening: account -> whether it takes messages now.

    troubles: of servers that mail is fetched from; they are told and leave us ready: restarting us mends none of them.
    """
    silent = sorted(name for name, is_up in listening.items() if not is_up)
    said = [f"not listening: {', '.join(silent)}"] if silent else []
    return Part(
        is_ok=not silent, detail="; ".join([*said, *troubles]), figures={"accounts": sorted(listening)}
    )


def journal_part(*, pending: int, lag_s: float, quarantined: tuple[str, ...] = ()) -> Part:
    """Judge the journal. Quarantined rows are named and leave it ready: only an operator can mend them."""
    late = lag_s > MAX_JOURNAL_LAG_S
    said = [f"the oldest message has waited {lag_s:.0f} s to be settled"] if late else []
    if quarantined:
        said.append(f"{len(quarantined)} quarantined, see: intake journal list --state quarantined")
    figures = {"pending": pending, "lag_s": round(lag_s, 1), "quarantined": list(quarantined)}
    return Part(is_ok=not late, detail="; ".join(said), figures=figures)


def outbox_part(*, waiting: int, oldest_s: float, dead: int = 0) -> Part:
    """Judge the outbox. oldest_s: how long the oldest message has been due. Dead letters are named, no more."""
    stuck = oldest_s > MAX_OUTBOX_AGE_S
    said = [f"the oldest outgoing message has waited {oldest_s:.0f} s"] if stuck else []
    if dead:
        said.append(f"{dead} given up, see: intake outbox list --state failed")
    figures = {"waiting": waiting, "oldest_s": round(oldest_s, 1), "dead_letters": dead}
    return Part(is_ok=not stuck, detail="; ".join(said), figures=figures)


def timers_part(*, due: int, late_s: float, up_s: float, failed: tuple[str, ...] = ()) -> Part:
    """Judge the timers. due: that have not fired; late_s: how late the first of them is; up_s: how long the daemon runs.

    After a downtime everything is late for a moment; late for a minute of running is the daemon's fault. Timers that
    were given up are named and leave it ready: only an operator can mend them.
    """
    late = late_s > MAX_TIMER_LATE_S
    said = (
        [f"{due} timers are due, the first for {late_s:.0f} s, see: intake timers list --late"]
        if late
        else []
    )
    if failed:
        said.append(f"{len(failed)} given up, see: intake timers list --failed")
    figures = {"due": due, "late_s": round(late_s, 1), "failed": list(failed)}
    return Part(is_ok=not (late and up_s > MAX_TIMER_LATE_S), detail="; ".join(said), figures=figures)
