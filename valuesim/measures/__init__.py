"""Measures of whole episodes, one module per family of environments."""
