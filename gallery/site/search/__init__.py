"""What can be searched and filtered."""
