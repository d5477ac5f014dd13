"""Who listens on this machine, read from /proc: needs no `ss`.

`listening.py` prints the sockets that listen now, for later. `listening.py FILE`, with what was printed then,
says which of this project's processes listen that did not listen then, and ends with exit code 1 where one does.
Others' listeners, there before or come meanwhile, are nobody's fault here.
"""

from __future__ import annotations

import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
PROC = Path("/proc")
LISTEN = "0A"


def listening() -> dict[str, str]:
    """The inode of each listening TCP socket, and its port."""
    found: dict[str, str] = {}
    for table in ("tcp", "tcp6"):
        file = PROC / "net" / table
        for line in file.read_text().splitlines()[1:] if file.exists() else ():
            _, local, _, state, *_, inode = line.split()[:10]
            if state == LISTEN:
                found[inode] = str(int(local.rpartition(":")[2], 16))
    return found


def holders(sockets: dict[str, str]) -> dict[str, str]:
    """For each of these sockets, by inode, the command of a process that holds it; only of those that can be read."""
    found: dict[str, str] = {}
    for process in (entry for entry in PROC.iterdir() if entry.name.isdigit()):
        try:
            held = {str(file.readlink())[8:-1] for file in (process / "fd").iterdir()} & sockets.keys()
            if held:
                command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                found |= dict.fromkeys(held, f"process {process.name}: {' '.join(command.split())}")
        except OSError:
            continue  # gone meanwhile, or not ours to look into
    return found


def main() -> int:
    """Print what listens, or what is left."""
    now = listening()
    if len(sys.argv) == 1:
        print("\n".join(now))
        return 0
    before = set(Path(sys.argv[1]).read_text().split())
    new = {inode: port for inode, port in now.items() if inode not in before}
    # Everything the tests start runs from the project's environment; whose socket cannot be seen may be theirs.
    known = holders(new)
    left = [
        f"port {port}: {known.get(inode, 'a process that cannot be looked into')[:200]}"
        for inode, port in new.items()
        if inode not in known or str(PROJECT) in known[inode]
    ]
    print("\n".join(left))
    return 1 if left else 0


if __name__ == "__main__":
    raise SystemExit(main())
