"""What feedback decides, a file a matter: what may be asked, and what is decided."""
