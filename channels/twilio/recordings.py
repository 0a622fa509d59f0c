"""Recordings of calls: where Twilio keeps them.

    GET    /2010-04-01/Accounts/AC…/Recordings/RE….mp3     the sound, with HTTP Basic auth
    DELETE /2010-04-01/Accounts/AC…/Recordings/RE….json    204; what was deleted before is 404

Source: twilio.com/docs/voice/api/recording, checked 2026-11. An mp3 has 32 kbit/s: a talk of four hours is 58 MB.
"""

import re

from channels.contract import FetchFailed
from channels.twilio import settings
from channels.twilio.api import Api, ApiError

MAX_SIZE_BYTES = 64 * 1024 * 1024
TOTAL_S = 180.0
_SID = re.compile(r"RE[0-9a-f]{32}")


def url(options: settings.Options, recording: str) -> str:
    """Return where the sound of a recording is. Raises: FetchFailed when it is no recording's name."""
    if not _SID.fullmatch(recording):
        raise FetchFailed("a recording is named RE and 32 of 0-9a-f", retryable=False)
    return f"{options.api_url}/2010-04-01/Accounts/{options.account_sid}/Recordings/{recording}.mp3"


async def delete(api: Api, recording: str) -> None:
    """Delete a recording; one that is gone is none. Raises: FetchFailed."""
    if not _SID.fullmatch(recording):
        raise FetchFailed("a recording is named RE and 32 of 0-9a-f", retryable=False)
    try:
        await api.call(lambda twilio: twilio.recordings(recording).delete_async())
    except ApiError as error:
        if error.status != 404:
            raise FetchFailed(str(error), retryable=error.is_transient) from None
