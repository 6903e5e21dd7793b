"""A static catalogue of what MusicGen makes of a prompt and its parameters."""

__version__ = "0.2.0"
