"""What happens to every draft before it is written down: names are hashed, free text is classified and dropped."""
