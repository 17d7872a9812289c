"""Moments of other episodes, judged blind by people (`judges`), and what all judged (`pooling`)."""
