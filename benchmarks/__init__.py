"""Measurements of valuesim itself: speed (`make bench`) and validity (`make validity`)."""
