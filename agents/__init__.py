"""Agents: whatever answers observations with decisions."""
