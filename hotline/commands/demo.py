"""demo: coming."""


def demo() -> None:
    """Live a day."""
