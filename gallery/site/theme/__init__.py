"""Templates and assets, and how text, names and addresses are written in them."""
