"""The viewer: run folders found, watched turn by turn and understood, in a browser.

`naming` says which run folders lie below a path and what they are called, `index` what is kept of
each, `shelf` holds all of them; `listing` and `facets` ask it, `moments` opens one episode;
`security` says who is answered, and `server` answers.
"""
