"""The system on one server: a compose file, generated from the tables of logins and processes, and its secrets."""
