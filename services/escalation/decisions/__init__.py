"""What escalation decides, a file a matter: what is stated of what has become due."""
