"""Moments of other episodes, judged blind by people; `judges` is where to begin."""
