"""Answers from the project index and the cluster profile, for checks and for commands alike."""
