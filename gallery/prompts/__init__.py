"""Prompt files -> prompts, their clips and every fault in them (stage 1: read)."""
