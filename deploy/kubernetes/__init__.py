"""The system on a cluster: plain manifests, generated from the tables of topics, logins and processes."""
