"""A city: its database, its logins, its topics, its processes, and where it is reached."""
