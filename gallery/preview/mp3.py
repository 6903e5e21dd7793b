"""MP3s: made by pydub and ffmpeg, read back, and tagged."""

from __future__ import annotations

import subprocess
import warnings
from functools import cache
from io import BytesIO
from pathlib import Path
from shutil import which
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from gallery.errors import GalleryError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

with warnings.catch_warnings():
    # pydub complains of invalid escapes in its own source and of a missing ffmpeg
    # that it isn't going to use.
    warnings.simplefilter("ignore")
    from pydub import AudioSegment

_BYTES_PER_SAMPLE = 4
_FULL_SCALE = 2**31

# ID3 frames of the names that ffmpeg, and with it most software, knows.
_FRAMES = {
    "title": "TIT2",
    "artist": "TPE1",
    "album": "TALB",
    "composer": "TCOM",
    "genre": "TCON",
    "copyright": "TCOP",
    "encoded_by": "TENC",
    "publisher": "TPUB",
}


def encode_mp3(audio: NDArray[np.float32], sample_rate: int, quality: int) -> bytes:
    """``audio`` [samples, channels] within [-1, 1] as an untagged MP3 of LAME's VBR ``quality``.

    Its length is exact: the header says how much of the first and the last frame is
    padding. A sample rate that MP3 doesn't have becomes the nearest that it has.
    The same audio gives the same bytes. Raises GalleryError where ffmpeg fails.
    """
    # In single precision, as the audio is: the last number below 1 times 2^31 is an integer that fits.
    whole = np.clip(audio, -1, np.nextafter(np.float32(1), np.float32(0))) * np.float32(_FULL_SCALE)
    segment = AudioSegment(
        data=whole.astype("<i4").tobytes(),
        sample_width=_BYTES_PER_SAMPLE,
        frame_rate=sample_rate,
        channels=audio.shape[1],
    )
    wav = segment.export(BytesIO(), format="wav").getvalue()
    source = ["-loglevel", "error", "-f", "wav", "-i", "pipe:0"]
    encoder = ["-codec:a", "libmp3lame", "-q:a", str(quality), "-map_metadata", "-1", "-id3v2_version", "0"]
    try:
        # pydub's own way to ffmpeg leaves its temporary files behind when anything fails or is
        # interrupted. A pipe cannot take the MP3: its header is written last.
        with TemporaryDirectory(prefix="gallery-") as folder:
            mp3 = Path(folder, "preview.mp3")
            command = [find_ffmpeg(), *source, *encoder, "-f", "mp3", str(mp3)]
            # In a group of its own: Ctrl-C, which goes to the whole group, must not end what is nearly done.
            done = subprocess.run(command, input=wav, capture_output=True, check=False, process_group=0)
            if done.returncode == 0:
                return mp3.read_bytes()
    except OSError as error:
        raise GalleryError(f"a preview could not be encoded: {error}") from error
    said = done.stderr.decode(errors="replace").strip() or "it gave no reason"
    raise GalleryError(f"ffmpeg could not encode a preview: {said.splitlines()[-1].strip()}")


def decode_mp3(mp3: bytes) -> tuple[NDArray[np.float32], int]:
    """The samples [samples, channels] of an MP3, which may exceed [-1, 1], and their rate.

    In this process: starting ffmpeg takes longer than decoding does.
    Raises GalleryError for what is no MP3.
    """
    import soundfile

    try:
        audio, sample_rate = soundfile.read(BytesIO(mp3), dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise GalleryError(f"not an MP3 that can be read: {error}") from error
    return audio, int(sample_rate)


def with_tags(mp3: bytes, tags: Mapping[str, str]) -> bytes:
    """``mp3``, which has no tags yet, with an ID3v2.3 tag.

    ``title``, ``artist``, ``comment`` and the like become their ID3 frames, any other
    name a TXXX frame of that description. Empty values are left out. (pydub would hand
    tags over on ffmpeg's command line, where values over 128 KiB fail, and names with
    an equals sign come out wrong.)
    """
    id3 = _id3()
    tag = id3.ID3()
    for name, value in tags.items():
        if value:
            tag.add(_frame(_storable(name), _storable(value)))
    if not tag.keys():
        return mp3  # some decoders, libsndfile's for one, stumble over an empty tag
    written = BytesIO()
    tag.save(written, v1=0, v2_version=3, padding=lambda _: 0)
    return written.getvalue() + mp3


def read_tags(mp3: bytes) -> dict[str, str]:
    """The tags that `with_tags` wrote, under the same names; none where there is no ID3 tag."""
    id3 = _id3()
    try:
        # As they were written: mutagen would turn some frames of v2.3 into those of v2.4.
        tag = id3.ID3(BytesIO(mp3), translate=False)
    except id3.ID3NoHeaderError:
        return {}
    names = {frame: name for name, frame in _FRAMES.items()} | {"COMM": "comment"}
    return {
        names.get(frame.FrameID) or frame.desc: "\0".join(frame.text)
        for frame in tag.values()
        if frame.FrameID in (*names, "TXXX")
    }


def _frame(name: str, text: str) -> Any:
    id3 = _id3()
    encoding = id3.Encoding.LATIN1 if (name + text).isascii() else id3.Encoding.UTF16
    if name == "comment":
        return id3.COMM(encoding=encoding, lang="XXX", desc="", text=text)
    if name in _FRAMES:
        return getattr(id3, _FRAMES[name])(encoding=encoding, text=text)
    return id3.TXXX(encoding=encoding, desc=name, text=text)


def _storable(text: str) -> str:
    """``text`` with U+FFFD for what an ID3 frame cannot hold: NUL and halves of surrogate pairs."""
    return text.replace("\0", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _id3() -> Any:
    """mutagen's ID3 module, which has types that say nothing."""
    from mutagen import id3

    return id3


@cache
def find_ffmpeg() -> str:
    """The absolute path of imageio-ffmpeg's binary: never one that lies in the current folder.

    Raises GalleryError where there is none.
    """
    import imageio_ffmpeg

    try:
        found = imageio_ffmpeg.get_ffmpeg_exe()
    except RuntimeError as error:
        raise GalleryError("no ffmpeg found; install one, or name it in IMAGEIO_FFMPEG_EXE") from error
    return str(Path(which(found) or found).resolve())
