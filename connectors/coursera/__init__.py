"""Coursera for Business: sign-in, listings, what arrives."""
