"""Digests of texts."""

from __future__ import annotations

import hashlib


def digest(*parts: bytes | str) -> str:
    """One digest of several texts, each kept apart from the next."""
    data = [part if isinstance(part, bytes) else part.encode("utf-8", "surrogatepass") for part in parts]
    lengths = " ".join([str(len(part)) for part in data]).encode()
    return hashlib.sha256(b"\n".join([lengths, *data])).hexdigest()[:32]
