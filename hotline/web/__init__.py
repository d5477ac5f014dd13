"""The HTTP door: events and acts in, what came of them and what waits out.

It states no fact. An act is the same CloudEvent on the same topic as any other sender's (decision 0057). One table
names every route: `hotline.web.routes`.
"""
