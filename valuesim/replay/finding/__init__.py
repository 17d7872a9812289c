"""Episodes that are looked for: filtered, sorted, a page at a time; `listing` is where to begin."""
