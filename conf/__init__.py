"""Configuration that ships with the package: Hydra groups, vocabularies, archetypes."""
