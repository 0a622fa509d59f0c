"""The chat's launcher and panel, for whoever has a page that shows them: bytes from memory, without a look at the store."""

from channels.webchat.assets import LAUNCHER_PATH, MODULE_PATH, Assets
from intake.web.access import Action
from intake.web.routes import Route


def routes() -> list[Route]:
    """Everybody may load them: they hold nobody's words."""
    assets = Assets()
    return [
        Route("GET", LAUNCHER_PATH, Action.load_asset, assets.get_launcher, authority="public"),
        Route("GET", MODULE_PATH, Action.load_asset, assets.get_module, authority="public"),
    ]
