"""Whether the figures mean what they say: simulations with planted truth, and what others do.

`python -m benchmarks.validity` (`make validity`) runs every experiment with a fixed seed and writes
docs/validity.md and its figures; `--quick` is a small one that takes under a minute. An experiment
is a module with cells and a function `once(cell, rng)` that returns the measurements of one
repeat; `tables` says what becomes of them. Same seed, same bytes.
"""
