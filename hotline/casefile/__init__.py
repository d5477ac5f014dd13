"""One complaint's life for a reader."""
