"""What an agent wrote in answer to a notice: never a word of the notice, which is for colleagues only.

The notice begins with a line above which the answer stands (notices.MARKER). Where it is found, all below it is ours.
Where it is not, the agent has deleted what they answered, or a program has mangled it: then what counts as visible text
must show nothing that only a notice holds.
"""

import re
import unicodedata

from channels.contract import Message
from channels.email import visible_text
from intake import addresses, notice_links, notices
from routing import folding

SIGNATURE_MAX_LINES = 8
SIGNATURE_MAX_CHARACTERS = 600

_FIRST_LINE = "The answer begins here."

# White space as programs wrap and quote: between any two words there may be a line break and marks of quotation.
_MARKER = re.compile(r"[\s>|]+".join(map(re.escape, notices.MARKER.strip("[] ").split())), re.IGNORECASE)
_QUOTE_LINE = re.compile(r"\s*[>|]")
_OURS = re.compile(r"intake tickets (?:show|reply) [0-9A-Z]{7}\b", re.IGNORECASE)
_INVISIBLE = {ord(each): None for each in "\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\ufe0f\u20e3\u00ad"}

# What stands above a name and is no answer: a closing that ends with a comma, or one of these.
_CLOSINGS = frozenset(
    folding.fold(each).strip()
    for each in (
        "best", "best regards", "kind regards", "regards", "cheers", "sincerely", "yours", "thanks", "thank you",
        "mit freundlichen Grüßen", "freundliche Grüße", "viele Grüße", "beste Grüße", "Gruß", "mfg",
        "pozdrawiam", "z poważaniem", "saludos", "un saludo", "atentamente", "cordialement", "bien cordialement",
        "cordiali saluti", "saluti", "cumprimentos", "atenciosamente", "με εκτίμηση", "φιλικά", "met vriendelijke groet",
        "groeten", "s pozdravem", "med vänlig hälsning", "vänliga hälsningar", "с уважением", "з повагою",
        "saygılarımla", "よろしくお願いします",
    )
)  # fmt: skip


def written(message: Message) -> str:
    """Return what the agent wrote, without what they answer; "" when they wrote nothing."""
    marker = _MARKER.search(message.text)
    if marker is None:
        return _without_pure_quote(message.visible_text or message.text)
    above = message.text[: marker.start()]
    above = above[: above.rfind("\n") + 1]  # the line of the marker has marks of its own
    # With a line before it and a quotation behind it, the line that introduces the quotation ("On Tuesday … wrote:") is
    # known as one, also when nothing else was written.
    shown = visible_text.split(f"{_FIRST_LINE}\n\n{above.rstrip()}\n\n> {notices.MARKER}\n").visible
    return _without_pure_quote(shown.removeprefix(_FIRST_LINE)) if shown.startswith(_FIRST_LINE) else ""


def shows_notice(text: str) -> bool:
    """Whether a text holds what only a notice holds: then nobody else may read it."""
    is_ours = bool(_MARKER.search(text) or _OURS.search(text))
    return is_ours or addresses.has_agent_reference(text) or notice_links.shows_link(text)


def plain(line: str) -> str:
    """Return a line as it was meant: without invisible characters, in plain forms of letters and signs."""
    return unicodedata.normalize("NFKC", line.translate(_INVISIBLE)).strip()


def is_signature(text: str, names: tuple[str, ...]) -> bool:
    """Whether a text is only how the agent signs: a name of theirs, after a closing at most. names: as people write them."""
    if len(text) > SIGNATURE_MAX_CHARACTERS:
        return False
    lines = [plain(line) for line in text.splitlines() if plain(line)]
    if len(lines) > SIGNATURE_MAX_LINES:
        return False
    known = {folding.fold(each).strip() for name in names for each in (name, name.split(" ")[0]) if name}
    known.discard("")
    folded = [folding.fold(line).strip() for line in lines]
    if not folded:
        return False
    is_sentence = lines[0][-1] in ".!?"
    if not is_sentence and (folded[0] in _CLOSINGS or (lines[0][-1] == "," and len(folded[0].split()) <= 3)):
        return len(folded) == 1 or folded[1] in known
    return folded[0] in known


def _without_pure_quote(text: str) -> str:
    """Return "" for a text of quoted lines only: nothing was written."""
    is_quote = all(_QUOTE_LINE.match(line) or not line.strip() for line in text.splitlines())
    return "" if is_quote else text.strip()
