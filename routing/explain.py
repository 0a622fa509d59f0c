"""Why, and why not: every rule tried by the plain evaluator, without the index."""

from routing import conditions
from routing.decision import Reason, decide, next_view
from routing.facts import Facts
from routing.rulebook import Rulebook
from routing.rules import Rule
from routing.view import View


def why_not(rulebook: Rulebook, facts: Facts) -> tuple[Reason, ...]:
    """The rules that did not count, in file order, each with its conditions and why it did not."""
    decision = decide(rulebook, facts)
    counted = set(decision.matched)
    view, route_view = _views(rulebook, facts)
    return tuple(
        _reason(rule, route_view if rule.stage == "route" else view, winner=decision.rule)
        for rule in rulebook.rules
        if rule.id not in counted
    )


def matching(rulebook: Rulebook, facts: Facts) -> tuple[str, ...]:
    """Ids of the rules that count, found rule by rule: the truth that the index is tested against."""
    view, route_view = _views(rulebook, facts)
    enriching = [rule.id for rule in rulebook.enrich if rule.when.holds(view)]
    winner = next((rule.id for rule in rulebook.route if rule.when.holds(route_view)), None)
    return (*enriching, winner) if winner else tuple(enriching)


def _views(rulebook: Rulebook, facts: Facts) -> tuple[View, View]:
    """The message as enrich rules and as route rules see it."""
    view = View.of(rulebook, facts)
    enriching = [rule for rule in rulebook.enrich if _holds(rule, view)]
    return view, next_view(rulebook, view, enriching)


def _holds(rule: Rule, view: View) -> bool:
    try:
        return rule.when.holds(view)
    except Exception:  # noqa: BLE001 - a broken rule is no match here as in earnest; _reason tells its error
        return False


def _reason(rule: Rule, view: View, *, winner: str) -> Reason:
    try:
        held = rule.when.holds(view)
        results = conditions.results(rule.when, view)
    except Exception as error:  # noqa: BLE001 - a broken rule is told, not raised
        return Reason(rule.id, rule.line, (), f"failed: {type(error).__name__}: {error}")
    outcome = f"matches, but '{winner}' comes first" if held else "does not match"
    return Reason(rule.id, rule.line, results, outcome)
