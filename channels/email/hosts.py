"""Names of hosts, as an admin writes them; nothing is resolved."""

import re

_THIS_MACHINE = re.compile(r"localhost|127(?:\.\d{1,3}){3}|::1", re.ASCII)


def is_this_machine(host: str) -> bool:
    """Whether a host is this machine by its name alone, so that nobody listens to what is said to it in clear."""
    return _THIS_MACHINE.fullmatch(host) is not None
