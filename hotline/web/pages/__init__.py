"""Pages for the people who do the work: rendered on the server, on the staff listener (decision 0062).

One table names every page: `hotline.web.pages.routes`. A page states no fact: an act on it is the event that any other
sender would send.
"""
