"""Look at the installation: what is there, what is wrong, and the command that mends it.

Exit status 0 if training can work, 1 if it cannot.
"""

import argparse
import json
import sys
from pathlib import Path

if sys.version_info < (3, 10):  # noqa: UP036 (what is imported below does not compile there)
    sys.exit('PROBLEM  Python %d.%d  -> install Python 3.11 or 3.12' % sys.version_info[:2])  # noqa: UP031
# It must run before anything is installed. Appended: an installed copy comes first.
_PATH_BEFORE = list(sys.path)
sys.path.append(str(Path(__file__).resolve().parents[1]))

from mmdet_liver.cli import run_tool  # noqa: E402
from mmdet_liver.environment.facts import collect  # noqa: E402
from mmdet_liver.environment.findings import as_text, diagnose, training_works  # noqa: E402

# Build files that lie in a checkout must not pass for an installation.
sys.path[:] = _PATH_BEFORE


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--json', action='store_true', help='print the bare facts, for a report')
    args = parser.parse_args(argv)
    facts = collect()
    findings = diagnose(facts)
    print(json.dumps(facts, indent=2) if args.json else as_text(findings))
    if training_works(findings):
        return 0
    sys.stderr.write('training cannot work; mend the first problem first, then look again\n')
    return 1


if __name__ == '__main__':
    run_tool(main)
