"""The life of a complaint as a state machine: which fact may follow in which state.

It is written from the rules of the domain and knows nothing of how the desks decide, so that it can judge
what they said. `evolve` never refuses; this does. One file for each speaker's facts.
"""
