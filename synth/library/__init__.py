"""Real images to show beside synthetic ones."""
