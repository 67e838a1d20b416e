"""What a command shows and writes down for people."""
