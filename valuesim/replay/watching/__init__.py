"""One episode, opened and shown turn by turn; `moments` is where to begin."""
