"""A static catalogue of what MusicGen makes of a prompt and its parameters."""

import time

__version__ = "0.2.0"

# When this program began: what of it changes from now on may be loaded or not, see `gallery.state.tool`.
BEGAN = time.time_ns()
