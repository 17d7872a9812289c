"""The viewer in a terminal: episodes found in a table, and watched step by step.

`texts` makes what others wrote fit to be shown, `asking` reads the filter line, and `rows`,
`timeline`, `playing`, `heading`, `scenes`, `moment` and `options` say what is shown: none of them
needs a terminal. Textual is imported by `app`, its screens `finding`, `watching` and `asides`, and
by `track`, `fold` and `style`.
"""
