"""What a browser is called by people: "Firefox on Android" instead of what it sends. Nothing is decided by it."""

# In this order: the later ones name the earlier ones as well.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
)
_ENGINES = (("Chrome/", "Chrome"), ("Safari/", "Safari"))
_SYSTEMS = (
    ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"), ("CrOS", "ChromeOS"),
    ("Mac OS X", "macOS"), ("Linux", "Linux"),
)  # fmt: skip


def called(user_agent: str) -> str:
    """Return a name for a User-Agent; one that is not known is shown as it is, cut short."""
    browser = _first(user_agent, (*_BROWSERS, *_ENGINES))
    system = _first(user_agent, _SYSTEMS)
    if not browser:
        return user_agent[:40] or "unknown"
    return f"{browser} on {system}" if system else browser


def _first(user_agent: str, known: tuple[tuple[str, str], ...]) -> str:
    return next((name for word, name in known if word in user_agent), "")
