"""Links that open one file for a while: whoever holds one needs no key. HMAC-SHA256 over file and expiry."""

import hashlib
import hmac


class LinkSigner:
    """Signs and verifies links under one key."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def __repr__(self) -> str:
        return "<LinkSigner>"

    def sign(self, file_id: str, expires: int) -> str:
        """Return the signature of a link to `file_id` that works until `expires` (unix seconds)."""
        # a line break cannot stand in either part, so no two pairs have one text
        return hmac.new(self._key, f"{file_id}\n{expires}".encode(), hashlib.sha256).hexdigest()

    def verify(self, file_id: str, expires: str, signature: str, now: int) -> bool:
        """Whether the link is ours and has not expired; takes the same time whatever the signature is."""
        if not (expires.isascii() and expires.isdigit() and len(expires) <= 12 and signature.isascii()):
            return False
        if "\n" in file_id or not file_id.isascii():
            return False
        return hmac.compare_digest(self.sign(file_id, int(expires)), signature) and now < int(expires)
