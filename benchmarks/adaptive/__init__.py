"""How many questions adaptive asking saves, and what its claims are worth: planted agents."""
