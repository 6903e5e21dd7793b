"""Audio files of other people: only the common kinds are handed to the decoder.

libsndfile reads some 25 containers, most of them rare and seldom tested, and finds out by
itself which one a file is, whatever its name.
"""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

ACCEPTED = "WAV, FLAC, OGG and MP3"

_FORMATS = {"WAV", "WAVEX", "RF64", "FLAC", "OGG", "MP3"}
_SUBTYPES = {"PCM_U8", "PCM_S8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"}
_SUBTYPES |= {"VORBIS", "OPUS", "MPEG_LAYER_III"}

# A tag at the beginning, which the decoder skips to look for the next container.
_ID3_HEADER = 10
_MOST_TAGS = 4


class NotAudio(Exception):
    """A file that is no audio, or of a kind that is not accepted: ``kind`` says which, where it is known."""

    def __init__(self, kind: str = "") -> None:
        super().__init__(kind)
        self.kind = kind


@contextmanager
def opened(file: BinaryIO) -> Iterator[Any]:
    """A `soundfile.SoundFile` of an open file. Raises NotAudio, also for what fails while it is open.

    Raises OSError where it is the disk that fails: that says nothing of the file.
    """
    import soundfile

    if not _is_common(file):
        raise NotAudio
    source = _Source(file)
    try:
        with soundfile.SoundFile(source) as audio:
            if audio.format not in _FORMATS or audio.subtype not in _SUBTYPES:
                raise NotAudio(f"{audio.subtype_info} in {audio.format}")
            yield audio
    except (soundfile.SoundFileError, TypeError, ValueError) as error:
        raise (source.failure or NotAudio) from error
    if source.failure:
        raise source.failure


class _Source:
    """An open file, as libsndfile reads it: it calls back from C, where errors can only be printed.

    A header that lies leads to places that no file has: nothing is read there.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.failure: OSError | None = None

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        with suppress(OSError, ValueError, OverflowError):
            return self._file.seek(offset, whence)
        return self._file.seek(0, os.SEEK_END)

    def tell(self) -> int:
        return self._file.tell()

    def read(self, count: int) -> bytes:
        try:
            return self._file.read(count)
        except OSError as error:
            self.failure = self.failure or error
            return b""


def _is_common(file: BinaryIO) -> bool:
    """Whether a file begins like one of the common containers; leaves it at its beginning."""
    start = 0
    for _ in range(_MOST_TAGS):
        file.seek(start)
        head = file.read(12)
        if not head.startswith(b"ID3") or len(head) < _ID3_HEADER:
            break
        size = sum((byte & 0x7F) << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=True))
        start += _ID3_HEADER + size
    file.seek(0)
    wave = head[:4] in (b"RIFF", b"RF64") and head[8:12] == b"WAVE"
    mpeg = len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0
    return wave or mpeg or head.startswith((b"fLaC", b"OggS"))
