"""What every Twilio account of intake.yaml has. Times in seconds, sizes in bytes."""

import re
from datetime import date
from typing import Annotated

import msgspec
from msgspec import Meta

from channels.twilio import keywords

API_URL = "https://api.twilio.com"
_ACCOUNT = re.compile(r"AC[0-9a-f]{32}")
_KEY = re.compile(r"SK[0-9a-f]{32}")
_COUNTRY = re.compile(r"[A-Z]{2}")
_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}")


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """account_sid, auth_token: of Twilio's console; auth_token_old: believed as well, while one token replaces another.

    api_key, api_secret: what logs in at the REST API in the token's place; Twilio signs with the token all the same
    (twilio.com/docs/usage/requests-to-twilio, /docs/iam/api-keys, checked 2026-11).

    numbers: ours, E.164, the first is the main one. public_url: how Twilio reaches us, without a final /; "" = the
    one of http:. api_url: of Twilio's REST API, another one for a simulated provider. timeout_s: of each request to it.
    reconcile_s: how often Twilio is asked what no webhook brought, 0 = never. start: from when on, at the first start:
    "new" = from then on, "all" = everything Twilio still has, or a day (2026-11-01, UTC). fallback_url: of a folder on
    another host with the files of `intake twilio fallback`, without a final /; "" = there is none.
    consent_languages: in which, beside English, a word means STOP, START or HELP (channels.twilio.keywords), ISO 639-1.
    countries: where may be texted and called to, ISO 3166-1 ("PL"), () = where our own numbers are.
    """

    account_sid: str
    auth_token: str = ""
    auth_token_old: str = ""
    api_key: str = ""
    api_secret: str = ""
    numbers: tuple[str, ...] = ()
    public_url: str = ""
    api_url: str = API_URL
    timeout_s: Annotated[float, Meta(gt=0, le=60)] = 10
    reconcile_s: Annotated[float, Meta(ge=0)] = 300
    start: str = "new"
    fallback_url: str = ""
    consent_languages: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()

    @property
    def addresses(self) -> tuple[str, ...]:
        return self.numbers

    @property
    def login(self) -> tuple[str, str]:
        """User and password of the REST API; the password is "" where there is none."""
        return (self.api_key, self.api_secret) if self.api_key else (self.account_sid, self.auth_token)

    @property
    def login_names(self) -> str:
        """The options that log in, to be named where that fails."""
        return "api_key and api_secret" if self.api_key else "account_sid and auth_token"

    @property
    def tokens(self) -> tuple[str, ...]:
        """What may sign a webhook; () = nothing is believed."""
        return tuple(each for each in (self.auth_token, self.auth_token_old) if each)

    def __post_init__(self) -> None:
        if not _ACCOUNT.fullmatch(self.account_sid):
            raise ValueError("account_sid is written like AC and 32 of 0-9a-f")
        if bool(self.api_key) != bool(self.api_secret):
            raise ValueError("api_key and api_secret belong together: one of them is missing")
        if self.api_key and not _KEY.fullmatch(self.api_key):
            raise ValueError("api_key is written like SK and 32 of 0-9a-f")
        for number in self.numbers:
            if not _NUMBER.fullmatch(number):
                raise ValueError(f"'{number}' is not a number like +48221234567")
        if not self.api_url.startswith(("https://", "http://")):
            raise ValueError(f"api_url is written like {API_URL}, not '{self.api_url}'")

        if self.start not in ("new", "all"):
            _check_day(self.start)
        for name, url in (("public_url", self.public_url), ("fallback_url", self.fallback_url)):
            if url and (not url.startswith(("https://", "http://")) or url.endswith("/")):
                raise ValueError(f"{name} is written like https://help.example.com, not '{url}'")
        self._check_consent()

    def _check_consent(self) -> None:
        for language in self.consent_languages:
            if language not in keywords.LANGUAGES:
                known = " ".join(sorted(keywords.LANGUAGES))
                raise ValueError(f"no words of consent are known in '{language}', but in {known}")
        for country in self.countries:
            if not _COUNTRY.fullmatch(country):
                raise ValueError(f"countries are written like PL, not '{country}'")

    def __repr__(self) -> str:
        return f"Options(account_sid={self.account_sid!r}, numbers={self.numbers!r})"


def _check_day(text: str) -> None:
    try:
        date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"start is new, all, or a day like 2026-11-01, not '{text}'") from None
