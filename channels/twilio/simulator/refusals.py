"""What Twilio's REST API says when it refuses: codes, HTTP statuses and sentences, as data.

Sources: twilio.com/docs/api/errors and the changelog of 2024-07-10 about number validation (checked 2026-11). Twilio
says that codes and their causes change: nothing but the simulator may depend on the sentences.
"""

from typing import Any

import msgspec

MORE_INFO = "https://www.twilio.com/docs/errors"

# code -> (HTTP status, sentence). {value} is what was wrong with the request.
TABLE: dict[int, tuple[int, str]] = {
    20001: (400, "Unknown parameter: {value}"),
    20003: (401, "Authenticate"),
    20004: (405, "Method not allowed"),
    20006: (400, "Page number out of range"),
    20007: (400, "Page size too large"),
    20404: (404, "The requested resource {value} was not found"),
    20429: (429, "Too Many Requests"),
    20500: (500, "An internal server error has occurred"),
    20503: (503, "Service Unavailable"),
    21201: (400, "No 'To' number is specified"),
    21205: (400, "Url is not a valid URL: {value}"),
    21210: (400, "The source phone number provided, {value}, is not yet verified for your account."),
    21211: (400, "Invalid 'To' Phone Number: {value}"),
    21212: (400, "Invalid 'From' Number (caller ID): {value}"),
    21213: (400, "Caller phone number is required"),
    21215: (400, "Account not authorized to call {value}"),
    21219: (400, "The number {value} is unverified. Trial accounts may only make calls to verified numbers."),
    21220: (400, "Call is not in-progress. Cannot redirect."),
    21266: (400, "'To' and 'From' number cannot be the same: {value}"),
    21408: (
        400,
        "Permission to send an SMS has not been enabled for the region indicated by the 'To' number: {value}",
    ),
    21502: (400, "Invalid callback url: {value}"),
    21602: (400, "Message body is required."),
    21603: (400, "A 'From' phone number is required."),
    21604: (400, "A 'To' phone number is required."),
    21606: (
        400,
        "The 'From' phone number provided ({value}) is not a valid message-capable Twilio phone number.",
    ),
    21608: (
        400,
        "The number {value} is unverified. Trial accounts cannot send messages to unverified numbers.",
    ),
    21609: (400, "The 'StatusCallback' URL {value} is not a valid URL."),
    21610: (400, "Attempt to send to unsubscribed recipient"),
    21614: (400, "'To' number is not a valid mobile number: {value}"),
    21617: (400, "The concatenated message body exceeds the 1600 character limit"),
    21620: (400, "Invalid media URL(s): {value}"),
    21623: (400, "Number of media files exceeds allowed limit"),
    21655: (400, "The ContentSid {value} is Invalid"),
    21656: (400, "The ContentVariables parameter is invalid"),
    21659: (400, "'From' {value} is not a Twilio phone number or Short Code country mismatch"),
    21701: (404, "The Messaging Service does not exist: {value}"),
    21710: (400, "Invalid value: {value}"),
    21910: (400, "Invalid From and To pair. From and To should be of the same channel"),
    63007: (400, "Twilio could not find a Channel with the specified From address"),
}


class ApiError(Exception):
    """One refusal. value: of the request, put into the sentence."""

    def __init__(self, code: int, value: object = "") -> None:
        self.code = code
        self.status, sentence = TABLE[code]
        self.message = sentence.format(value=value)
        super().__init__(self.message)

    def body(self) -> dict[str, Any]:
        """Write it as Twilio does."""
        return {
            "code": self.code,
            "message": self.message,
            "more_info": f"{MORE_INFO}/{self.code}",
            "status": self.status,
        }


class Refusal(msgspec.Struct, frozen=True):
    """A refusal to be given whatever the request is. left: how many more times, None = until it is taken back."""

    code: int
    left: int | None = None
