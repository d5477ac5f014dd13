"""What dispatch decides, a file a matter: what may be asked, what is decided, its review."""
