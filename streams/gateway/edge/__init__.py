"""What happens to every draft before anything of Tieline writes it down: names hashed, free text classified and dropped."""
