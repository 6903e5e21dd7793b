"""What knows nothing of galleries."""
