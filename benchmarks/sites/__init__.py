"""Sites of any size to measure with, and what they are measured on."""
