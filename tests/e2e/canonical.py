"""What `inspect` says, in one order: Go's maps come out in any, and a list made from one does too.
What is listed by id is listed by name."""

import json
import re
import sys


def masked(item):
    return re.sub(r"[0-9a-f]{12,64}", "", json.dumps(item, sort_keys=True))


# Lists of words that clients send in any order: docker-compose the first two (of the first the daemon makes DNSNames), the command line -v and -e
# (straight to the socket, `-e A=b -e C=` comes out the other way round one time in eight).
SETS = ("Aliases", "Binds", "DNSNames", "Env")


def ordered(value):
    if isinstance(value, dict) and value and all(re.fullmatch(r"[0-9a-f]{64}", key) for key in value):
        return sorted((ordered(item) for item in value.values()), key=lambda item: masked(item["Name"]))
    if isinstance(value, dict):
        return {key: sorted(item, key=masked) if key in SETS and item else ordered(item)
                for key, item in sorted(value.items())}
    if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
        return sorted((ordered(item) for item in value), key=masked)
    return value


print(json.dumps(ordered(json.load(sys.stdin)), indent=1))
