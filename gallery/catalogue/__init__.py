"""Prompts and what is known of their clips, as plain data (stage 5: join)."""
