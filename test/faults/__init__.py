"""Calls that are broken off at random moments, and what is left of them: ./dev faults."""
