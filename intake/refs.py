"""Public ticket refs: seven characters that look random, never collide, and survive being read over the phone.

A ref is the ticket's number, sent through a keyed permutation of 31^6 values (so a customer learns nothing of how many
tickets there are), written in 31 characters without 0, I, L, O and U, and closed by a check character: a weighted sum
modulo the prime 31, which finds every single wrong character and every exchange of two.
"""

import hashlib

ALPHABET = "123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 7
_BASE = len(ALPHABET)
_SPACE = _BASE ** (LENGTH - 1)  # 887 503 681 tickets
_HALF_BITS = 15
_HALF = (1 << _HALF_BITS) - 1
_READ_AS = str.maketrans({"I": "1", "L": "1", "-": None, " ": None, "#": None})


def ref_from_number(number: int, key: bytes) -> str:
    """Return the ref of the number-th ticket, 0 <= number < 31^6."""
    value = _permuted(number, key)
    while value >= _SPACE:  # walk the cycle back into the space: less than once in five on average
        value = _permuted(value, key)
    digits = []
    for _ in range(LENGTH - 1):
        value, digit = divmod(value, _BASE)
        digits.append(digit)
    digits.append(_check(digits))
    return "".join(ALPHABET[digit] for digit in digits)


def normalized(text: str) -> str | None:
    """Return the ref that somebody typed or read aloud (any case, dashes and blanks allowed); None when it is none."""
    ref = text.upper().translate(_READ_AS)
    if len(ref) != LENGTH or any(character not in ALPHABET for character in ref):
        return None
    digits = [ALPHABET.index(character) for character in ref]
    return ref if _check(digits[:-1]) == digits[-1] else None


def _check(digits: list[int]) -> int:
    # Weights 2..7: the check character itself weighs 1, so exchanging it with its neighbour is found as well.
    return -sum(digit * (LENGTH - place) for place, digit in enumerate(digits)) % _BASE


def _permuted(value: int, key: bytes) -> int:
    """Four Feistel rounds over 30 bits."""
    left, right = value >> _HALF_BITS, value & _HALF
    for turn in range(4):
        digest = hashlib.blake2b(bytes((turn, right >> 8, right & 0xFF)), key=key, digest_size=2).digest()
        left, right = right, left ^ (int.from_bytes(digest) & _HALF)
    return left << _HALF_BITS | right
