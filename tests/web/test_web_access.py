"""One function decides, and denies what nothing allows."""

import itertools

import pytest
from aiohttp import web

from intake.web import access, routes
from intake.web.access import NOBODY, Action, Role, Subject, Who, may
from intake.web.routes import Route, RouteError

TEAM = Subject(team="support", agent=None, ref="AAAAAAA")
OTHERS = Subject(team="billing", agent="ewa", ref="BBBBBBB")
NOBODYS = Subject(ref="CCCCCCC")


def agent(role: Role = "agent", *, name: str = "ania", teams: tuple[str, ...] = ("support",)) -> Who:
    return Who(kind="agent", name=name, role=role, teams=frozenset(teams), session="x")


def test_nobody_may_do_nothing_but_what_is_for_everybody() -> None:
    """Nor may somebody of a kind or with a role that is not known."""
    strangers = (
        NOBODY,
        Who(kind="nobody", name="boss", role="admin"),
        Who(kind="agent", name="ania", role="king"),  # type: ignore[arg-type]
        Who(kind="king", name="ania", role="admin"),  # type: ignore[arg-type]
        Who(kind="agent", name="", role="admin"),
    )
    for who, action, subject in itertools.product(strangers, Action, (None, TEAM, NOBODYS)):
        assert may(who, action, subject) is (action in access.OPEN), (who, action)


def test_what_is_about_tickets_is_refused_without_one() -> None:
    for role, action in itertools.product(access.ROLES, sorted(access.OF_TICKET)):
        assert not may(agent(role), action, None), (role, action)


def test_a_ticket_is_reached_by_its_team_its_own_agent_and_by_all_while_it_is_nobodys() -> None:
    ewa = agent(name="ewa", teams=())
    for who, subject, seen in (
        (agent(), TEAM, True),
        (agent(), OTHERS, False),
        (agent(), NOBODYS, True),
        (ewa, OTHERS, True),
        (ewa, TEAM, False),
        (agent("lead"), OTHERS, False),
        (agent("admin", teams=()), OTHERS, True),
        (agent("auditor", teams=()), OTHERS, True),
        (agent(name="", teams=()), Subject(team="support", agent=""), False),
    ):
        assert may(who, Action.see_ticket, subject) is seen, (who, subject)
        can_act = seen and who.role != "auditor"
        assert may(who, Action.reply, subject) is can_act, (who, subject)


def test_an_auditor_changes_nothing() -> None:
    looking = {
        Action.see_desk, Action.see_ticket, Action.see_file, Action.see_customer, Action.see_rules,
        Action.see_operations, Action.see_access, Action.export, Action.own_account,
    }  # fmt: skip
    done = {action for action in Action if may(agent("auditor"), action, TEAM)}
    assert done - access.OPEN == looking


def test_a_role_holds_what_the_one_before_it_holds() -> None:
    for action, subject in itertools.product(Action, (None, TEAM, OTHERS, NOBODYS)):
        held = [may(agent(role), action, subject) for role in ("agent", "lead", "admin")]
        assert held == sorted(held), (action, subject)


def test_only_an_admin_administers() -> None:
    assert [role for role in access.ROLES if may(agent(role), Action.administer)] == ["admin"]


def test_a_visitor_has_their_own_chat_and_nothing_else() -> None:
    who = Who(kind="visitor", session="chat:shop:one")
    allowed = {
        action for action in Action if may(who, action, Subject(session="chat:shop:one"))
    } - access.OPEN
    assert allowed == {Action.chat}
    assert not may(who, Action.chat, Subject(session="chat:shop:two"))
    assert not may(Who(kind="visitor"), Action.chat, Subject())
    assert not may(who, Action.chat)


# -- the table --------------------------------------------------------------------------------------------------------


async def page(request: web.Request) -> web.Response:
    return web.Response()


@pytest.mark.parametrize(
    "route",
    [
        Route("GET", "/a", Action.see_desk, page, authority="public"),
        Route("GET", "/a", Action.see_ticket, page, authority="link"),
        Route("POST", "/a", Action.reply, page, authority="visitor"),
        Route("POST", "/a", Action.administer, page, authority="signature"),
        Route("GET", "/a", Action.chat, page),
        Route("GET", "/a", Action.load_asset, page),
        Route("GET", "/a", Action.see_ticket, page),
        Route("POST", "/a", Action.reply, page),
    ],
)
def test_a_route_whose_proof_does_not_fit_is_not_added(route: Route) -> None:
    """A ticket's page needs a session and says how its ticket is found; a link proves nothing but what it is for."""
    with pytest.raises(RouteError):
        routes.mount(web.Application(), [route], None)


async def test_an_application_with_a_route_outside_the_table_does_not_start() -> None:
    app = web.Application()
    routes.mount(app, [Route("GET", "/a", Action.load_asset, page, authority="public")], None)
    app.router.add_get("/b", page)
    runner = web.AppRunner(app)
    with pytest.raises(RouteError, match="/b stands in no table of routes"):
        await runner.setup()
