"""Measures of strategic games: cooperation, strategies, theory, doses, preferences.

Everything is computed from the decision log alone (`history` reads it). `panels` puts the figures
of a group together, beside what people did (`people`) and what theory predicts (`equilibrium`).
"""
