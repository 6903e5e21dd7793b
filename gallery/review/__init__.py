"""What a contribution changes, and what is wrong with it."""
