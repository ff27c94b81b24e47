"""What `inspect` says, in one order: Go's maps come out in any, and a list made from one does too."""

import json
import re
import sys


def masked(item):
    return re.sub(r"[0-9a-f]{64}", "", json.dumps(item, sort_keys=True))


def ordered(value):
    if isinstance(value, dict):
        return {key: ordered(item) for key, item in sorted(value.items())}
    if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
        return sorted((ordered(item) for item in value), key=masked)
    return value


print(json.dumps(ordered(json.load(sys.stdin)), indent=1))
