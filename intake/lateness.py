"""How late something is, in words."""

_MINUTE_S, _HOUR_S, _DAY_S = 60, 3_600, 86_400

LATE_US = 60 * 1_000_000  # later than this is said to be late


def is_late(due_us: int | None, now_us: int) -> bool:
    """Whether what was due at an instant (microseconds UTC; None = at none) is worth being called late."""
    return due_us is not None and now_us - due_us > LATE_US


def sentences(due_us: int | None, now_us: int) -> tuple[str, ...]:
    """Say that a notice comes late, and why; nothing when it does not."""
    if due_us is None or not is_late(due_us, now_us):
        return ()
    return (f"This comes {words(due_us, now_us)}: the daemon was down, or behind.",)


def words(due_us: int, now_us: int) -> str:
    """Say how late, in the two largest units: "37 min late", "2 h 5 min late", "3 d 4 h late"."""
    late_s = max(now_us - due_us, 0) // 1_000_000
    if late_s < _HOUR_S:
        return f"{late_s // _MINUTE_S} min late"
    if late_s < _DAY_S:
        return f"{_two(late_s, _HOUR_S, 'h', _MINUTE_S, 'min')} late"
    return f"{_two(late_s, _DAY_S, 'd', _HOUR_S, 'h')} late"


def _two(total_s: int, large_s: int, large: str, small_s: int, small: str) -> str:
    rest = total_s % large_s // small_s
    return f"{total_s // large_s} {large}" + (f" {rest} {small}" if rest else "")
