"""`python -m hotline.web`: the HTTP door."""

from __future__ import annotations

from hotline.web.process import main

if __name__ == "__main__":
    main()
