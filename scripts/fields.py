#!/usr/bin/env python3
"""Lists every field of the create, exec create and exec start bodies over several versions of Docker's
API schema, for tests/fixtures/create_fields.txt.

usage: fields.py DIRECTORY > tests/fixtures/create_fields.txt

DIRECTORY holds the schemas as v1.NN.yaml. Each line is: body, path (`[]` is an element of a list, `{}` a
value of a map), and the first and last of these versions that has the field.
"""
import pathlib
import re
import sys

import yaml

BODIES = [
    ("create", "/containers/create"),
    ("exec", "/containers/{id}/exec"),
    ("start", "/exec/{id}/start"),
]


def resolve(schema, document):
    """Follows references and joins the parts of allOf."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        return resolve(document["definitions"][name], document)
    if "allOf" in schema:
        joined = {"properties": {}}
        for part in schema["allOf"]:
            part = resolve(part, document)
            joined["properties"].update(part.get("properties") or {})
            for key in ("items", "additionalProperties"):
                if key in part:
                    joined[key] = part[key]
        return joined
    return schema


def walk(schema, document, path, found):
    schema = resolve(schema, document)
    for name, field in (schema.get("properties") or {}).items():
        at = f"{path}.{name}" if path else name
        found.add(at)
        walk(field, document, at, found)
    if isinstance(schema.get("items"), dict):
        walk(schema["items"], document, path + "[]", found)
    if isinstance(schema.get("additionalProperties"), dict):
        walk(schema["additionalProperties"], document, path + "{}", found)


def main():
    versions = {}
    for file in pathlib.Path(sys.argv[1]).glob("v1.*.yaml"):
        match = re.fullmatch(r"v1\.(\d+)\.yaml", file.name)
        if match:
            versions[int(match[1])] = yaml.safe_load(file.read_text())
    seen = {}
    for minor in sorted(versions):
        document = versions[minor]
        for body, path in BODIES:
            parameters = document["paths"][path]["post"]["parameters"]
            schema = next(p["schema"] for p in parameters if p.get("in") == "body")
            found = set()
            walk(schema, document, "", found)
            for field in found:
                seen.setdefault((body, field), []).append(minor)
    print(f"# Written by scripts/fields.py from the API schemas 1.{', 1.'.join(map(str, sorted(versions)))}.")
    for (body, field), minors in sorted(seen.items()):
        print(f"{body} {field} 1.{minors[0]}-1.{minors[-1]}")


if __name__ == "__main__":
    main()
