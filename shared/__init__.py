"""The language the desks share and the log they meet on; no desk's decision lives here."""
