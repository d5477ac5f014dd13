"""One sentence a fact and audience: what a person reads of it."""
