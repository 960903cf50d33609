"""National languages in GSM 03.38: other tables in the place of the default one and its extension.

3GPP TS 23.038 annex A, for the three languages whose handsets use them: 1 Turkish, 2 Spanish, 3 Portuguese.
A user data header names them: element 0x25 the table (locking shift), 0x24 its extension (single shift).
"""

from carriers.smpp.alphabet import ESCAPE, EXTENSION, default_table

LOCKING_SHIFT, SINGLE_SHIFT = 0x25, 0x24  # 3GPP TS 23.040 §9.2.3.24.15 and .16
TURKISH, SPANISH, PORTUGUESE = 1, 2, 3

_TABLES = {
    0: default_table(),
    TURKISH: default_table(
        {0x04: "€", 0x07: "ı", 0x0B: "Ğ", 0x0C: "ğ", 0x1C: "Ş", 0x1D: "ş", 0x40: "İ", 0x60: "ç"}
    ),
    PORTUGUESE: (
        "@£$¥êéúíóç\nÔô\rÁáΔ_ªÇÀ∞^\\€Ó|\ufffeÂâÊÉ !\"#º%&'()*+,-./0123456789:;<=>?"
        "ÍABCDEFGHIJKLMNOPQRSTUVWXYZÃÕÚÜ§~abcdefghijklmnopqrstuvwxyzãõ`üà"
    ),
}
_EXTENSIONS = {
    0: EXTENSION,
    TURKISH: EXTENSION
    | {0x47: "Ğ", 0x49: "İ", 0x53: "Ş", 0x63: "ç", 0x67: "ğ", 0x69: "ı", 0x73: "ş"},
    SPANISH: EXTENSION
    | {0x09: "ç", 0x41: "Á", 0x49: "Í", 0x4F: "Ó", 0x55: "Ú", 0x61: "á", 0x69: "í", 0x6F: "ó", 0x75: "ú"},
    PORTUGUESE: EXTENSION
    | {
        0x05: "ê", 0x09: "ç", 0x0B: "Ô", 0x0C: "ô", 0x0E: "Á", 0x0F: "á", 0x12: "Φ", 0x13: "Γ", 0x15: "Ω",
        0x16: "Π", 0x17: "Ψ", 0x18: "Σ", 0x19: "Θ", 0x1F: "Ê", 0x41: "À", 0x49: "Í", 0x4F: "Ó", 0x55: "Ú",
        0x5B: "Ã", 0x5C: "Õ", 0x61: "Â", 0x69: "í", 0x6F: "ó", 0x75: "ú", 0x7B: "ã", 0x7C: "õ", 0x7F: "â",
    },
}  # fmt: skip


def shifts(elements: bytes) -> tuple[int, int]:
    """Return the languages a header's elements name for table and extension; 0, 0 if none."""
    found = {LOCKING_SHIFT: 0, SINGLE_SHIFT: 0}
    at = 0
    while at + 2 <= len(elements):
        kind, size = elements[at], elements[at + 1]
        if kind in found and elements[at + 2 : at + 3] and size == 1:
            found[kind] = elements[at + 2]
        at += 2 + size
    return found[LOCKING_SHIFT], found[SINGLE_SHIFT]


def decode_national(septets: bytes, locking: int, single: int) -> str:
    """Return the text of unpacked septets; a language nobody knows here reads as the default one (§6.2.1.2).

    An unknown escaped code shows as its character in the table, as in the default alphabet.
    """
    table = _TABLES.get(locking, _TABLES[0])
    extension = _EXTENSIONS.get(single, EXTENSION)
    text: list[str] = []
    escaped = False
    for septet in septets:
        if septet == ESCAPE and not escaped:
            escaped = True
            continue
        plain = " " if septet == ESCAPE else table[septet] if septet < len(table) else "\ufffd"
        text.append(extension.get(septet, plain) if escaped else plain)
        escaped = False
    return "".join(text) + (" " if escaped else "")
