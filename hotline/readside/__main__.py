"""`python -m hotline.readside`: the projector."""

from __future__ import annotations

from hotline.readside.process import main

if __name__ == "__main__":
    main()
