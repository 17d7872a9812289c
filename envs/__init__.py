"""Families of dilemmas, one folder each; `valuesim.registry` names what can be made."""
