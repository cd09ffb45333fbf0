"""What services count, and how it is shown to whoever watches them."""
