"""The Faust transport that hands over whole partition batches, and what belongs to it."""
