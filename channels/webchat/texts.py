"""What an account's texts say, language by language, as an admin writes them: {en: "…", pl: "…"}."""

from collections.abc import Mapping
from typing import Annotated

from msgspec import Meta

Language = Annotated[str, Meta(pattern=r"^[a-z]{2,3}$")]
Texts = dict[Language, Annotated[str, Meta(min_length=1, max_length=2_000)]]


def said_in(texts: Mapping[str, str], locale: str) -> str:
    """Return the text for a locale (BCP 47): its language's, else English, else the first written; "" = there is none."""
    return texts.get(language_of(texts, locale), "")


def language_of(texts: Mapping[str, str], locale: str) -> str:
    """Return the language that a text is said in for a locale; "" = there is none."""
    language = locale.replace("_", "-").partition("-")[0].lower()
    return next((each for each in (language, "en", *texts) if texts.get(each)), "")
