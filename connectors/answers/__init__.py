"""What platforms answer: how much of it is taken, and read though parts of it are odd."""
