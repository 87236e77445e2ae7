"""A Hub on the loopback interface, and small weights folders, for the tests."""
