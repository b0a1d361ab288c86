"""The GraphQL endpoint, held against GraphQL over HTTP by the reference implementation's audit.

    python bench/audit.py

Starts a server and runs tests/audit/graphql_http.mjs against it, its npm packages installed into a
temporary folder (needs node and npm). Exits as the audit does.
"""

import argparse
import os
import shutil
import subprocess
import sys

from stage import REPOSITORY, Stage

FOLDER = REPOSITORY / "tests/audit"
SCRIPT = "graphql_http.mjs"
_NPM_SECONDS, _AUDIT_SECONDS = 300, 120


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for size in ("--quick", "--long"):
        parser.add_argument(size, action="store_true", help="changes nothing: it is always whole")
    parser.parse_args()
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        print("The audit needs node and npm.", file=sys.stderr)
        return 1
    with Stage() as stage:
        folder = stage.folder / "audit"
        shutil.copytree(FOLDER, folder, ignore=shutil.ignore_patterns("node_modules"))
        locked = (folder / "package-lock.json").exists()
        install = [npm, "ci" if locked else "install", "--no-audit", "--no-fund", "--silent"]
        subprocess.run(install, cwd=folder, check=True, timeout=_NPM_SECONDS)  # noqa: S603  # npm
        api = stage.api()
        command = [node, SCRIPT, f"{api.url}/graphql", stage.owner.token]
        return subprocess.run(  # noqa: S603  # our own script
            command, cwd=folder, check=False, timeout=_AUDIT_SECONDS, env=dict(os.environ)
        ).returncode


if __name__ == "__main__":
    sys.exit(main())
