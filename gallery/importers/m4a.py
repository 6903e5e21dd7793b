"""M4A, which libsndfile does not read: decoded by ffmpeg, which is let at nothing else."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from gallery.importers.found import Unusable
from gallery.preview.mp3 import find_ffmpeg

_CODECS = "aac,alac"
_REFUSED = re.compile(r"Codec \((\w{1,20})\) not on whitelist")
_DEADLINE = 120  # seconds


def is_m4a(data: bytes) -> bool:
    """Whether bytes begin as those of an MPEG-4 file."""
    return data[4:8] == b"ftyp"


def decoded(data: bytes, seconds: float, most: int) -> bytes:
    """The first audio track of an M4A as WAV, its first ``seconds`` and ``most`` bytes at most.

    ffmpeg may open this file, as MPEG-4, with two decoders, and nothing that it names: no other file
    and no address. Raises Unusable, and GalleryError where there is no ffmpeg.
    """
    with TemporaryDirectory(prefix="gallery-") as folder:
        source, target = Path(folder, "clip.m4a"), Path(folder, "clip.wav")
        source.write_bytes(data)
        limits = ["-protocol_whitelist", "file", "-codec_whitelist", _CODECS]
        taken = ["-map", "0:a:0", "-t", f"{seconds:g}", "-fs", f"{most}", "-codec:a", "pcm_f32le"]
        command = [
            find_ffmpeg(),
            "-nostdin",
            "-loglevel",
            "error",
            *limits,
            "-f",
            "mov",
            "-i",
            f"file:{source}",
        ]
        command += [*taken, "-f", "wav", str(target)]
        try:
            done = subprocess.run(command, capture_output=True, check=False, timeout=_DEADLINE)
        except subprocess.TimeoutExpired as error:
            raise Unusable("its audio takes too long to decode") from error
        if done.returncode == 0 and target.is_file():
            return target.read_bytes()
    if refused := _REFUSED.search(done.stderr.decode(errors="replace")):
        raise Unusable(f"its audio is {refused[1]} in M4A; accepted: AAC and ALAC")
    raise Unusable("its audio cannot be decoded; the file is damaged or not whole")
