"""The pages of the site, and the data that each shows."""
