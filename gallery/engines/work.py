"""What an engine has done in a build, for the line at its end."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gallery.errors.text import printable
from gallery.utils.progress import count, minutes

if TYPE_CHECKING:
    from gallery.engines import Render


@dataclass
class Work:
    """Clips that were rendered on known devices, their seconds of audio, and the seconds each device took.

    Of what is rendered for money, the engine tells itself.
    """

    clips: int = 0
    audio: float = 0.0
    devices: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    def add(self, render: Render) -> None:
        """Count a clip in."""
        about = render.provenance
        if about.device and about.seconds is not None:
            self.clips += 1
            self.audio += render.request.duration
            self.devices[printable(about.device)] += about.seconds

    def tell(self, loading: float) -> str:
        """What to say of it; nothing where there was none. ``loading``: seconds that models took to load."""
        if not self.clips:
            return ""
        parts = [f"rendered: {count(self.clips, 'clip')}, {self.audio:.1f} s of audio"]
        for device, seconds in self.devices.items():
            what = "minutes" if device == "cpu" else "GPU minutes"
            parts.append(f"{minutes(seconds / 60, what)} ({device})")
        if loading >= 1:
            parts.append(f"{loading:.0f} s to load models")
        return ", ".join(parts)
