"""SSML inside <Say> as data (twilio.com/docs/voice/twiml/say/text-speech, 2026-11)."""

from channels.twilio.simulator.grammar_rules import LANGUAGE, Rule, matching, words

NAMES = frozenset(("break", "emphasis", "lang", "p", "phoneme", "prosody", "s", "say-as", "sub", "w"))

RULES: dict[str, Rule] = {
    "break": Rule(
        attributes={
            "time": matching(r"[0-9.]+m?s"),
            "strength": words("none x-weak weak medium strong x-strong"),
        }
    ),
    "emphasis": Rule(attributes={"level": words("strong moderate reduced")}, text="some", children=NAMES),
    "lang": Rule(
        attributes={"xml:lang": LANGUAGE}, text="some", children=NAMES, needs=frozenset(("xml:lang",))
    ),
    "p": Rule(text="some", children=NAMES),
    "s": Rule(text="some", children=NAMES),
    "w": Rule(attributes={"role": bool}, text="some"),
    "sub": Rule(attributes={"alias": bool}, text="some", needs=frozenset(("alias",))),
    "phoneme": Rule(
        attributes={"alphabet": words("ipa x-sampa"), "ph": bool}, text="some", needs=frozenset(("ph",))
    ),
    "prosody": Rule(attributes={"volume": bool, "rate": bool, "pitch": bool}, text="some", children=NAMES),
    "say-as": Rule(
        attributes={
            "interpret-as": words(
                "address cardinal characters date digits expletive fraction number ordinal spell-out "
                "telephone time unit verbatim"
            ),
            "format": bool,
            "role": bool,
        },
        text="some",
        needs=frozenset(("interpret-as",)),
    ),
}
