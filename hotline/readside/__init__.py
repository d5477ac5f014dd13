"""The read side: what lists, counts and searches are answered from, kept up with the log by the projector (0048).

`rows` says what rows a complaint has, and `words` by which words it is found; both are pure. `complaints` and `calls`
are the two projections, `process` is the projector. `lists`, `search`, `figures`, `telephone` and `standing` ask.
"""
