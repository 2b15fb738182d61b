"""Renew the pins: `uv lock --upgrade && python .ci/pin.py`. Writes constraints.txt and the same list into pyproject.toml.

uv reads the list from pyproject.toml, pip takes `-c constraints.txt`; a test keeps them equal. No addresses in either.
"""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EXPORT = "uv export --all-extras --all-groups --no-hashes --no-annotate --no-header --no-emit-project"


def main() -> None:
    text = subprocess.run(EXPORT.split(), cwd=ROOT, check=True, text=True, capture_output=True).stdout
    pins = sorted(line.strip() for line in text.splitlines() if "==" in line)
    (ROOT / "constraints.txt").write_text("# Written by .ci/pin.py\n" + "\n".join(pins) + "\n")
    project = ROOT / "pyproject.toml"
    quoted = "\n".join(f"  {pin!r}," if '"' in pin else f'  "{pin}",' for pin in pins)
    block = f"constraint-dependencies = [\n{quoted}\n]\n"
    old = project.read_text()
    if "constraint-dependencies" in old:
        new = re.sub(r"constraint-dependencies = \[\n.*?\n\]\n", lambda _: block, old, flags=re.S)
    else:
        new = old.replace("[tool.uv]\n", f"[tool.uv]\n{block}", 1)
    project.write_text(new)


if __name__ == "__main__":
    main()
