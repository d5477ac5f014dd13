"""Proactive governance (主动治理): monthly programmes and project lists, a small log of their own beside the lives."""
