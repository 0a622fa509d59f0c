"""What every page of the desk stands on: the store, the rules in force, the templates, and one strict policy.

Pages are whole without JavaScript; the policy allows ours alone, from files, and no text ever becomes markup in a browser
(Trusted Types). What a page shows is read in one transaction; live.Live tells it what changed since.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, tzinfo
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from intake import promised_text
from intake.keys import Keys
from intake.model import Context
from intake.settings import Settings
from intake.store.engine import Store
from intake.web import csrf
from intake.web.access import Action, Who, may
from intake.web.desk import text, when
from intake.web.desk.assets import Assets
from intake.web.desk.live import Live
from intake.web.desk.places import Places

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self'; connect-src 'self'; "
    "worker-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types desk"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow",
    "Cache-Control": "private, no-store",
}
FOLDER = resources.files("intake.web.desk") / "pages"


class Place(NamedTuple):
    """One entry of the navigation. keys: what is pressed after g to go there."""

    path: str
    label: str
    icon: str
    keys: str
    action: Action


PLACES = (
    Place("/rules", "Rules", "rules", "r", Action.see_rules),
    Place("/operations", "Operations", "pulse", "o", Action.see_operations),
    Place("/agents", "Agents", "people", "a", Action.administer),
)


class Desk:
    """The desk of one daemon. context: gives the rules in force; folder: of the blobs. channels: account -> its channel."""

    def __init__(
        self,
        store: Store,
        context: Callable[[], Context],
        *,
        keys: Keys,
        folder: Path,
        settings: Settings,
        live: Live | None = None,
        channels: Mapping[str, Any] | None = None,
    ) -> None:
        self.store, self.context, self.keys, self.folder, self.settings = (
            store,
            context,
            keys,
            folder,
            settings,
        )
        self.assets, self.live = Assets(), live or Live(store)
        self.places = Places(store, self.live)
        self.channels = channels or {}
        self._pages = Environment(
            loader=FileSystemLoader(str(FOLDER)),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._pages.globals |= {"asset": self.assets.url, "Action": Action, "person": text.person}

    def render(
        self, template: str, who: Who, *, status: int = 200, mark: str | None = None, **values: Any
    ) -> web.Response:
        """Write a page. mark: Live.mark() from before what it shows was read, None = it is not live."""
        html = self._pages.get_template(template).render(**self._around(who, mark), **values)
        return web.Response(text=html, status=status, content_type="text/html", headers=HEADERS)

    def piece(self, template: str, who: Who, **values: Any) -> Markup:
        """Write a part of a page."""
        return Markup(self._pages.get_template(template).render(**self._around(who, None), **values))  # noqa: S704 - of a template that escapes

    def refusal(self, who: Who, status: int, sentence: str, *, ref: str = "") -> web.Response:
        """Say in one sentence why there is nothing to see, or nothing was done. ref: the ticket to go back to, "" = none."""
        return self.render("refused.html", who, status=status, sentence=sentence, ref=ref)

    def zone(self, who: Who) -> tzinfo:
        """Return the zone that somebody reads times in: of their hours, else of the rules' first calendar."""
        book = self.context().rulebook
        found = promised_text.zone_of_people(book, (who.name,))
        if who.name in book.agents and book.agents[who.name].hours:
            return found
        return next((each.zone for each in book.calendars.values()), found)

    def _around(self, who: Who, mark: str | None) -> dict[str, Any]:
        """Return what every template may use."""
        now, zone = self.store.now(), self.zone(who)
        return {
            "who": who,
            "may": lambda action, subject=None: may(who, Action(action), subject),
            "now": now,
            "mark": mark,
            "people_of": lambda ref: self.places.others(ref, who.name),
            "organization": self.context().organization,
            "places": [each for each in PLACES if may(who, each.action)],
            "csrf": csrf.word(self.keys, who),
            "csrf_field": lambda: self._csrf_field(who),
            **_times(now, zone),
        }

    def _csrf_field(self, who: Who) -> Markup:
        return Markup('<input type="hidden" name="csrf" value="{}">').format(csrf.word(self.keys, who))


def _times(now: datetime, zone: tzinfo) -> dict[str, Callable[[Any], Any]]:
    return {
        "short": lambda at: when.short(at, now=now, zone=zone),
        "full": lambda at: when.full(at, zone=zone),
        "hour": lambda at: when.hour(at, zone=zone),
        "day": lambda at: when.day(at, now=now, zone=zone),
        "due": lambda at: when.due(at, now=now),
        "iso": lambda at: when.due(at, now=now).at,
    }
