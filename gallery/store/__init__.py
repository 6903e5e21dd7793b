"""Clips under the keys of their requests (stage 4: keep)."""
