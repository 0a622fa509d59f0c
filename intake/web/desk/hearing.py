"""Who hears of what happens beside tickets: a stream says no more to anybody than the pages that they may open.

Of somebody themselves they always hear. Who signs in, from where and as what is for those who may see it on /agents or in
an export of the events; who is away or on call for everybody who gives tickets to others; all else is operation.
"""

from intake.web.access import Action, Who, may

ACCESS = frozenset(
    {
        "signed_in", "sign_in_allowed", "sign_in_disabled", "sign_in_enabled", "invited", "role_changed", "password_changed",
        "session_ended", "sessions_ended", "second_factor_set", "second_factor_removed", "recovery_codes_made",
        "recovery_code_used",
    }
)  # fmt: skip
ROTA = frozenset(
    {"agent_away", "agent_back", "agent_presence", "oncall_taken", "oncall_swapped", "oncall_released"}
)


def is_heard(who: Who, kind: str, actor: str, agent: str) -> bool:
    """Whether they are told of an event without a ticket. agent: whom it is about, "" = nobody of the desk."""
    if may(who, Action.see_desk) and who.name != "" and (who.name == agent or actor == f"agent:{who.name}"):
        return True
    if kind in ACCESS:
        return may(who, Action.see_access)
    return may(who, Action.see_desk if kind in ROTA else Action.see_operations)
