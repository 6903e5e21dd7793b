"""Untrusted input: what docs/security.md says holds against it."""
