"""The gateway's HTTP interface: who is let in, what a body holds, what is answered."""
