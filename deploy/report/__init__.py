"""The retrospective report: one page, for a team to talk over. Rows of views in, HTML out; asks nobody anything."""
