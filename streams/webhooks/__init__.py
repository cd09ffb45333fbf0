"""Telling other systems: signed POST requests, tried again for a day, kept over a crash."""
