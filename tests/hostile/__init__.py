"""Recordings that nobody should send: how they are made, and what has to become of them."""
