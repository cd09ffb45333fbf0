"""Putting the parts together for the command line: where Tieline runs, and how its parts are brought up and fed."""
