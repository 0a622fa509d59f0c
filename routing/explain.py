"""Why, and why not: every rule tried by the plain evaluator, without the index."""

from routing import conditions
from routing.decision import Reason, decide
from routing.facts import Facts
from routing.rulebook import Rulebook
from routing.rules import Rule
from routing.view import View


def why_not(rulebook: Rulebook, facts: Facts) -> tuple[Reason, ...]:
    """The rules that did not count, in file order, each with its conditions and why it did not."""
    decision = decide(rulebook, facts)
    counted = set(decision.matched)
    view = View(facts, calendars=rulebook.calendars)
    route_view = view.deciding(decided_by_enrich(rulebook, facts))
    return tuple(
        _reason(rule, route_view if rule.stage == "route" else view, winner=decision.rule)
        for rule in rulebook.rules
        if rule.id not in counted
    )


def matching(rulebook: Rulebook, facts: Facts) -> tuple[str, ...]:
    """Ids of the rules that count, found rule by rule: the truth that the index is tested against."""
    view = View(facts, calendars=rulebook.calendars)
    enriching = [rule for rule in rulebook.enrich if rule.when.holds(view)]
    route_view = view.deciding(decided_by_enrich(rulebook, facts))
    winner = next((rule for rule in rulebook.route if rule.when.holds(route_view)), None)
    return tuple(rule.id for rule in [*enriching, *([winner] if winner else [])])


def decided_by_enrich(rulebook: Rulebook, facts: Facts) -> dict[str, tuple[str, ...]]:
    """What route rules may ask for as `ticket.X`."""
    from routing.decision import _Draft

    view = View(facts, calendars=rulebook.calendars)
    return _Draft(rulebook, [rule for rule in rulebook.enrich if rule.when.holds(view)]).seen()


def _reason(rule: Rule, view: View, *, winner: str) -> Reason:
    try:
        held = rule.when.holds(view)
        results = conditions.results(rule.when, view)
    except Exception as error:  # noqa: BLE001 - a broken rule is told, not raised
        return Reason(rule.id, rule.line, (), f"failed: {type(error).__name__}: {error}")
    outcome = f"matches, but '{winner}' comes first" if held else "does not match"
    return Reason(rule.id, rule.line, results, outcome)
