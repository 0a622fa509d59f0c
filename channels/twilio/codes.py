"""Twilio's error codes in words: what they mean, what to do, and what follows from them. A table, and no logic.

Source: twilio.com/docs/api/errors and its page for each code (checked 2026-11). Twilio adds codes and says that programs
should not hang on single ones: what is not in the table is told in general words and counts as final.
"""

from typing import Literal

import msgspec

Kind = Literal["permanent", "transient", "ours", "consent"]


class Code(msgspec.Struct, frozen=True):
    """What a code means. says, todo: a sentence each, for an agent or an operator.

    kind: permanent = this one will never arrive; transient = the same may arrive later; ours = the account, the number
    or the text has to change; consent = they do not want it. address: why the address is to be marked as one that
    nothing reaches, "" = it is not to blame.
    """

    kind: Kind
    says: str
    todo: str
    address: str = ""


_ASK = "Ask for another number, or answer in another way."
_LATER = "It is tried again by itself."
_REWRITE = "Write it differently: without shortened links, capitals and words of advertisements."
_CONSOLE = "Look at the number in Twilio's console."
_TEMPLATE = "Look at the template in Twilio's console, and at templates: of the account."

TABLE: dict[int, Code] = {
    # The request itself.
    20003: Code("ours", "Twilio does not accept our credentials.", "Check account_sid and auth_token."),
    20005: Code("ours", "The Twilio account is not active.", "Look at the account in Twilio's console."),
    20404: Code("ours", "What was asked for does not exist at Twilio.", "Check account_sid and the number."),
    20429: Code("transient", "Too many requests at one time.", _LATER),
    20500: Code("transient", "Twilio has a fault of its own.", _LATER),
    20503: Code("transient", "Twilio is not available.", _LATER),
    21211: Code("permanent", "This is not a phone number.", _ASK, "number_unknown"),
    21212: Code("ours", "The number it should leave from is not one.", "Check numbers: of the account."),
    21214: Code("permanent", "The number cannot be reached.", _ASK, "number_unknown"),
    21217: Code("permanent", "This is not a phone number.", _ASK, "number_unknown"),
    21265: Code("permanent", "A short code cannot be written to.", _ASK, "not_textable"),
    21408: Code("ours", "Texts to this country are not allowed in the Twilio account.", "Allow the country under Messaging, Geo permissions."),
    21604: Code("ours", "There was nobody to send it to.", "Report this: it is a fault of the program."),
    21605: Code("ours", "The text is too long.", "Make it shorter than 1,600 characters."),
    21606: Code("ours", "The number it should leave from cannot send texts, or is not ours.", _CONSOLE),
    21608: Code("ours", "A trial account of Twilio writes to verified numbers only.", "Verify the number, or upgrade the account."),
    21610: Code("consent", "They said STOP to this number.", "They have to write START first. Do not text them from another number.", "opted_out"),
    21611: Code("transient", "More texts wait for this number than it sends in ten hours.", _LATER),
    21612: Code("permanent", "There is no way from our number to this one.", "Answer in another way, or from a number of their country."),
    21614: Code("permanent", "The number is no mobile.", "Call them, or answer by mail.", "not_textable"),
    21617: Code("ours", "The text is too long.", "Make it shorter than 1,600 characters."),
    21619: Code("ours", "There was nothing in it.", "Write something."),
    21620: Code("ours", "A file's address is not one that Twilio can fetch.", "Check http.public_url."),
    21623: Code("ours", "It has more than ten files.", "Send fewer."),
    21635: Code("permanent", "The number is a landline.", "Call them, or answer by mail.", "not_textable"),
    21654: Code("ours", "There is no content for this template.", _TEMPLATE),
    21655: Code("ours", "The template's id is wrong.", _TEMPLATE),
    21656: Code("ours", "The template's variables are wrong.", _TEMPLATE),
    21659: Code("ours", "The number it should leave from is none of Twilio's.", _CONSOLE),
    21660: Code("ours", "The number it should leave from belongs to another Twilio account.", _CONSOLE),
    21670: Code("ours", "The account's region at Twilio sends no files.", "Send a link, or text from a number of the region US1."),
    21910: Code("ours", "It should have gone from one medium to another.", "Check numbers: of the account."),
    # On the way.
    30001: Code("transient", "It waited too long in Twilio's queue.", _LATER),
    30002: Code("ours", "The Twilio account was suspended while it waited.", "Look at the account in Twilio's console."),
    30003: Code("transient", "The phone cannot be reached: off, out of range, or not in use.", _LATER),
    30004: Code("permanent", "The phone or its network blocks our texts.", _ASK, "blocked"),
    30005: Code("permanent", "The number does not exist any more.", _ASK, "number_unknown"),
    30006: Code("permanent", "The number is a landline, or its network takes no texts.", "Call them, or answer by mail.", "not_textable"),
    30007: Code("ours", "A carrier's filter took it for spam.", _REWRITE),
    30008: Code("transient", "It did not arrive, and the carrier does not say why.", _LATER),
    30009: Code("transient", "A part of it was lost on its way.", _LATER),
    30010: Code("ours", "It would have cost more than the account allows.", "Raise the price that the account allows."),
    30011: Code("permanent", "The network takes no files.", "Send it as text alone."),
    30017: Code("transient", "The carrier has too much to do.", _LATER),
    30018: Code("ours", "The carrier wants the sender to be registered.", _CONSOLE),
    30019: Code("ours", "The files are too big for the carrier.", "Send smaller ones, or a link."),
    30020: Code("transient", "A fault inside Twilio.", _LATER),
    30022: Code("transient", "More than the campaign may send at one time.", _LATER),
    30023: Code("transient", "More than the brand may send in a day.", _LATER),
    30024: Code("ours", "The number is not set up with the carrier yet.", _CONSOLE),
    30027: Code("transient", "T-Mobile's daily limit of the brand is used up.", _LATER),
    30032: Code("ours", "The toll-free number is not verified.", "Have it verified in Twilio's console."),
    30034: Code("ours", "The American number is not registered to a campaign (A2P 10DLC).", "Register brand and campaign in Twilio's console."),
    30035: Code("ours", "The number is being taken out of a campaign, or put into one.", "Wait until that is done."),
    30036: Code("transient", "It waited longer than it may.", _LATER),
    30038: Code("ours", "It has a code in it that Twilio does not let through.", _REWRITE),
    30039: Code("ours", "Twilio saw two machines that answer each other.", "Look at the conversation, and at the rules that answer it."),
    30040: Code("ours", "The carrier wants the sender to be registered.", _CONSOLE),
    30041: Code("permanent", "The carrier does not take this kind of sender.", "Answer from a number of another kind."),
    30044: Code("ours", "A trial account's texts have few segments.", "Make it shorter, or upgrade the account."),
    30053: Code("ours", "The number it should leave from may not send.", _CONSOLE),
    30410: Code("transient", "The carrier did not answer in time.", _LATER),
    30450: Code("ours", "Twilio takes this number for a fraud that earns by texts.", "Look whose number it is before you write again.", "blocked"),
    30453: Code("ours", "Twilio takes this number for a fraud that earns by texts.", "Look whose number it is before you write again.", "blocked"),
    30454: Code("ours", "The account's limit for this country is used up.", "Raise it in Twilio's console."),
    30485: Code("ours", "It has something in it that Twilio does not let through.", _REWRITE),
    30500: Code("transient", "A fault inside Twilio.", _LATER),
    # WhatsApp.
    63001: Code("ours", "WhatsApp does not accept the sender's credentials.", "Look at the WhatsApp sender in Twilio's console."),
    63002: Code("ours", "The WhatsApp sender is not ready.", "Look at the WhatsApp sender in Twilio's console."),
    63003: Code("permanent", "This number has no WhatsApp.", "Text it by SMS, or call.", "not_on_whatsapp"),
    63005: Code("ours", "WhatsApp does not take what is in it.", "Send it as text alone."),
    63007: Code("ours", "There is no WhatsApp sender with our number.", "Check numbers: of the account."),
    63008: Code("ours", "The WhatsApp sender is set up wrongly.", "Look at the WhatsApp sender in Twilio's console."),
    63009: Code("transient", "WhatsApp has a fault.", _LATER),
    63010: Code("transient", "A fault inside Twilio.", _LATER),
    63012: Code("transient", "WhatsApp has a fault.", _LATER),
    63013: Code("ours", "It breaks WhatsApp's rules.", "Write it differently."),
    63014: Code("permanent", "They have blocked us on WhatsApp.", "Answer in another way.", "blocked"),
    63015: Code("ours", "They have not joined WhatsApp's sandbox.", "The sandbox is for tests; use a sender of your own."),
    63016: Code("ours", "More than 24 hours ago they wrote last: only a template may be sent.", "Choose a template."),
    63017: Code("transient", "WhatsApp does not answer.", _LATER),
    63018: Code("transient", "More than WhatsApp takes at one time.", _LATER),
    63019: Code("transient", "WhatsApp could not fetch a file.", _LATER),
    63020: Code("ours", "The business is not confirmed at WhatsApp.", "Look at WhatsApp's business manager."),
    63021: Code("ours", "WhatsApp does not take what is in it.", "Write it differently."),
    63022: Code("permanent", "WhatsApp does not know the number.", "Text it by SMS, or call.", "not_on_whatsapp"),
    63023: Code("transient", "WhatsApp has a fault.", _LATER),
    63024: Code("permanent", "This number has no WhatsApp, or an old one.", "Text it by SMS, or call.", "not_on_whatsapp"),
    63025: Code("ours", "WhatsApp has this file already.", "Send it without the file."),
    63027: Code("ours", "There is no such template in this language.", _TEMPLATE),
    63028: Code("ours", "The template has another number of variables.", _TEMPLATE),
    63029: Code("transient", "The phone has not loaded the template.", _LATER),
    63030: Code("ours", "WhatsApp does not know a part of it.", "Send it as text alone."),
    63031: Code("ours", "It was addressed to ourselves.", "Check numbers: of the account."),
    63032: Code("permanent", "WhatsApp does not let us write to this one.", "Answer in another way."),
    63033: Code("permanent", "WhatsApp does not let us write to this one.", "Answer in another way.", "blocked"),
    63036: Code("permanent", "WhatsApp is not to be had in their country.", "Text it by SMS, or call.", "not_on_whatsapp"),
    63038: Code("transient", "The account's messages for today are used up.", _LATER),
    63040: Code("ours", "WhatsApp has put the template off for a while.", _TEMPLATE),
    63041: Code("ours", "WhatsApp has put the template off for a while.", _TEMPLATE),
    63042: Code("ours", "WhatsApp has switched the template off.", _TEMPLATE),
    63049: Code("permanent", "WhatsApp did not deliver it: they have had much advertising.", "Write it as an answer within 24 hours."),
    63051: Code("ours", "The WhatsApp business account is locked.", "Look at WhatsApp's business manager."),
}  # fmt: skip

UNKNOWN = Code(
    "permanent", "It did not arrive.", "Look the code up in Twilio's console before you send it again."
)


def of(code: int) -> Code:
    """Return what a code means; 0 = Twilio named none."""
    return TABLE.get(code, UNKNOWN)


def sentence(code: int, *, said: str = "") -> str:
    """Return a code in words for whoever reads it: what it means, what to do, and its number.

    said: what Twilio said itself, told when the code is not in the table.
    """
    known = of(code)
    words = " ".join(said.split())[:200] if code not in TABLE else ""
    number = f" (Twilio {code})" if code else ""
    return f"{known.says}{f' Twilio says: {words}.' if words else ''} {known.todo}{number}"
