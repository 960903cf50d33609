"""The check digits of Chinese company and identity numbers. Pure arithmetic: nothing is looked up."""

import re

# GB 32100-2015: 18 digits and capitals without I, O, S, V, Z; the last is a check over base 31
_CREDIT_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_CREDIT_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
# GB 11643-1999: 17 digits and a check over base 11, X for ten (ISO 7064 MOD 11-2)
_ID = re.compile(r"[1-9]\d{5}(?:18|19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dX]", re.ASCII)
_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECK = "10X98765432"


def is_credit_code(text: str) -> bool:
    """Whether `text` has the form and check digit of a unified social credit code."""
    text = text.strip().upper()
    if len(text) != 18 or any(character not in _CREDIT_ALPHABET for character in text):
        return False
    values = [_CREDIT_ALPHABET.index(character) for character in text]
    total = sum(value * weight for value, weight in zip(values[:17], _CREDIT_WEIGHTS, strict=True))
    return values[17] == (31 - total % 31) % 31


def is_id_number(text: str) -> bool:
    """Whether `text` has the form and check digit of a resident identity number."""
    text = text.strip().upper()
    if _ID.fullmatch(text) is None:
        return False
    total = sum(int(digit) * weight for digit, weight in zip(text[:17], _ID_WEIGHTS, strict=True))
    return text[17] == _ID_CHECK[total % 11]
