"""TwiML -> a tree, checked against Twilio's grammar; every flaw with its line and Twilio's code.

    read(body, place="voice")  -> Element, or Flawed with all that is wrong

Source: twilio.com/docs/voice/twiml, "TwiML interpreter", and the pages of codes 11750, 12100, 12101, 12200, 12300
(2026-11): 64 KB at most, XML content types, names are case-sensitive.
"""

import xml.parsers.expat
from collections.abc import Iterator
from typing import Literal

import msgspec

from channels.twilio.simulator import grammar_rules, grammar_table
from channels.twilio.simulator.grammar_rules import Rule

MAX_BYTES = 64 << 10
MAX_DEPTH = 12
MAX_NUMBERS = 10
CONTENT_TYPES = frozenset(("text/xml", "application/xml", "text/html"))

Place = Literal["voice", "messaging", "whisper", "waiting"]


class Flaw(msgspec.Struct, frozen=True):
    """One thing that is wrong. code: Twilio's. line: from 1."""

    code: int
    line: int
    message: str


class Flawed(Exception):
    """A document that Twilio would not play as it was meant."""

    def __init__(self, flaws: list[Flaw]) -> None:
        self.flaws = tuple(flaws)
        super().__init__("; ".join(f"line {each.line}: {each.message} ({each.code})" for each in flaws))


class Element(msgspec.Struct):
    """One element. text: without blanks around it, that of elements inside (SSML) left out."""

    name: str
    line: int
    attributes: dict[str, str] = {}
    children: list["Element"] = []
    text: str = ""

    def get(self, name: str, default: str = "") -> str:
        return self.attributes.get(name, default)

    def seconds(self, name: str, default: int) -> int:
        return int(self.attributes.get(name, default))

    def is_set(self, name: str, *, default: bool = False) -> bool:
        return self.attributes.get(name, str(default).lower()) == "true"

    def walk(self) -> Iterator["Element"]:
        yield self
        for each in self.children:
            yield from each.walk()

    @property
    def words(self) -> str:
        """All the text, of elements inside as well."""
        inside = [child.words for child in self.children]
        return " ".join(part for part in (self.text, *inside) if part)


def read(body: bytes, *, content_type: str = "text/xml", place: Place = "voice") -> Element:
    """Read a document. An empty body is an empty <Response>. Raises: Flawed."""
    kind = content_type.partition(";")[0].strip().lower()
    if not body and kind in ("", "text/plain", *CONTENT_TYPES):
        return Element("Response", 1)
    if kind not in CONTENT_TYPES:
        raise Flawed([Flaw(12300, 1, f"the content type is {kind or 'not said'}, not text/xml")])
    if len(body) > MAX_BYTES:
        raise Flawed([Flaw(11750, 1, f"the document has more than {MAX_BYTES >> 10} KB")])
    root = _Builder().tree(body)
    flaws = list(_flaws_of(root, place))
    if flaws:
        raise Flawed(flaws)
    return root


class _Builder:
    """Builds the tree out of expat's events. For one document."""

    def __init__(self) -> None:
        self._open: list[Element] = []
        self._root: Element | None = None
        self._parser = xml.parsers.expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._say
        self._parser.StartDoctypeDeclHandler = self._refuse

    def tree(self, body: bytes) -> Element:
        try:
            self._parser.Parse(body, True)
        except xml.parsers.expat.ExpatError as error:
            message = f"this is no XML: {xml.parsers.expat.errors.messages[error.code]}"
            raise Flawed([Flaw(12100, error.lineno, message)]) from None
        assert self._root is not None  # noqa: S101 - expat refuses a document without an element
        return self._root

    def _refuse(self, *_: object) -> None:
        raise Flawed([Flaw(12100, self._parser.CurrentLineNumber, "a document type is not allowed")])

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        element = Element(name, self._parser.CurrentLineNumber, attributes, [])
        if len(self._open) >= MAX_DEPTH:
            raise Flawed([Flaw(12101, element.line, "elements stand too deep in each other")])
        if self._open:
            self._open[-1].children.append(element)
        else:
            self._root = element
        self._open.append(element)

    def _end(self, _: str) -> None:
        element = self._open.pop()
        element.text = " ".join(element.text.split())

    def _say(self, text: str) -> None:
        self._open[-1].text += text


# -- what is wrong ----------------------------------------------------------------------------------------------------


def _flaws_of(root: Element, place: Place) -> Iterator[Flaw]:
    if root.name != "Response":
        yield Flaw(12101, root.line, f"the root is <{root.name}>, not <Response>")
        return
    rules = grammar_table.MESSAGING if place == "messaging" else grammar_table.VOICE
    for element in root.walk():
        yield from _element_flaws(element, rules)
    yield from _place_flaws(root, place)
    yield from _order_flaws(root)


def _element_flaws(element: Element, rules: dict[str, Rule]) -> Iterator[Flaw]:
    rule = rules.get(element.name)
    if rule is None:
        return  # said where it stands
    for child in element.children:
        if child.name not in rule.children:
            yield Flaw(12200, child.line, f"<{child.name}> cannot stand in <{element.name}>")
    yield from _attribute_flaws(element, rule)
    yield from _text_flaws(element, rule)
    special = _SPECIAL.get(element.name)
    if special is not None:
        yield from special(element)


def _attribute_flaws(element: Element, rule: Rule) -> Iterator[Flaw]:
    for name, value in element.attributes.items():
        check = rule.attributes.get(name)
        if check is None:
            yield Flaw(12200, element.line, f"<{element.name}> knows no attribute {name}")
        elif not check(value):
            yield Flaw(rule.code, element.line, f"<{element.name}> has a wrong {name}: {value[:80]!r}")
    for name in sorted(rule.needs - element.attributes.keys()):
        yield Flaw(rule.code, element.line, f"<{element.name}> needs the attribute {name}")


def _text_flaws(element: Element, rule: Rule) -> Iterator[Flaw]:
    if element.text and rule.text == "none":
        yield Flaw(12200, element.line, f"<{element.name}> takes no text: {element.text[:80]!r}")
    if rule.text == "some" and not element.words:
        yield Flaw(rule.code, element.line, f"<{element.name}> has no text")
    if rule.most_characters and len(element.words) > rule.most_characters:
        yield Flaw(
            rule.code, element.line, f"<{element.name}> has more than {rule.most_characters} characters"
        )


def _place_flaws(root: Element, place: Place) -> Iterator[Flaw]:
    allowed = {"whisper": grammar_table.WHISPER, "waiting": grammar_table.WAITING}.get(place)
    for each in root.children if allowed is not None else ():
        if allowed is not None and each.name not in allowed:
            yield Flaw(
                13235 if place == "whisper" else 13249,
                each.line,
                f"<{each.name}> is not allowed here ({place})",
            )


def _order_flaws(root: Element) -> Iterator[Flaw]:
    """Find verbs that are never reached, and <Reject> after something that has answered the call."""
    for before, element in zip(root.children, root.children[1:], strict=False):
        if before.name in ("Hangup", "Redirect", "Reject", "Leave"):
            yield Flaw(12200, element.line, f"<{element.name}> after <{before.name}> is never reached")
    for element in root.children[1:]:
        if element.name == "Reject":
            yield Flaw(12200, element.line, "<Reject> must be the first verb")


def _play_flaws(element: Element) -> Iterator[Flaw]:
    if not element.text and "digits" not in element.attributes:
        yield Flaw(13420, element.line, "<Play> has no URL")
    if element.text and not grammar_rules.url(element.text):
        yield Flaw(13420, element.line, f"<Play> has a wrong URL: {element.text[:80]!r}")


def _redirect_flaws(element: Element) -> Iterator[Flaw]:
    if element.text and not grammar_rules.url(element.text):
        yield Flaw(13710, element.line, f"<Redirect> has a wrong URL: {element.text[:80]!r}")


def _dial_flaws(element: Element) -> Iterator[Flaw]:
    names = [each.name for each in element.children]
    if not names and not element.text:
        yield Flaw(13201, element.line, "<Dial> has nobody to call")
    if names and element.text:
        yield Flaw(13223, element.line, "<Dial> has text beside its nouns")
    if len(names) > 1 and {"Conference", "Queue"} & set(names):
        yield Flaw(12200, element.line, "a <Conference> or <Queue> stands alone in its <Dial>")
    if len(names) > MAX_NUMBERS:
        yield Flaw(13215, element.line, f"<Dial> calls {len(names)} at once, {MAX_NUMBERS} is the most")
    numbers = [each.text for each in element.children if each.name == "Number"]
    if len(set(numbers)) < len(numbers):
        yield Flaw(12200, element.line, "<Dial> calls a number twice")


def _number_flaws(element: Element) -> Iterator[Flaw]:
    if element.text and not grammar_rules.PHONE(element.text):
        yield Flaw(13223, element.line, f"<Number> is not written like +48221234567: {element.text[:80]!r}")


def _gather_flaws(element: Element) -> Iterator[Flaw]:
    if "speech" in element.get("input", "dtmf"):
        return
    for name in ("hints", "speechTimeout", "speechModel", "profanityFilter", "enhanced"):
        if name in element.attributes:
            yield Flaw(13310, element.line, f"<Gather> has {name}, but does not listen to speech")


def _record_flaws(element: Element) -> Iterator[Flaw]:
    """Find what Twilio cannot transcribe: 2 to 120 seconds can be (13617)."""
    if "transcribeCallback" in element.attributes and not element.is_set("transcribe"):
        yield Flaw(13610, element.line, "<Record> has transcribeCallback, but transcribe is not true")
    if element.is_set("transcribe") and element.seconds("maxLength", 3600) > 120:
        yield Flaw(13617, element.line, "<Record> transcribes 120 seconds at most: set maxLength")


_SPECIAL = {
    "Play": _play_flaws,
    "Redirect": _redirect_flaws,
    "Dial": _dial_flaws,
    "Number": _number_flaws,
    "Gather": _gather_flaws,
    "Record": _record_flaws,
}
