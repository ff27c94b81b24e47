#!/usr/bin/env python3
"""Lists every request field of every endpoint over several versions of Docker's API schema, for
tests/fixtures/fields.txt. docs/new-api-version.md says what to do with it.

usage: fields.py DIRECTORY > tests/fixtures/fields.txt

DIRECTORY holds the schemas as v1.NN.yaml, or v1.NN-master.yaml for one that is not released. Each line
is one fact: method, path, operation, where the field is, its name, its type, and the versions that have
it in this type (of those read: a run of them by its first and last).

where   name
path    the parameter of the path template
query   the key; `filters{key}` is a filter that the key's description lists
header  the name, in lower case
body    `.` is the body itself; else the path of the field, where `[]` is an element of a list and `{}`
        a value of a map. A type that contains itself is cut off where it comes again.

A type is string, integer, number or boolean, with its format if there is one (integer/int64); array<T>;
map<T>; object; stream, for bytes that are not JSON; any, where the schema says nothing.
"""
import pathlib
import re
import sys

import yaml

# The one in C is quicker by far, where there is one.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
METHODS = ("get", "head", "post", "put", "delete", "options", "patch")


def shape(path):
    """A path template without the names of its parameters, which change between versions."""
    return re.sub(r"\{[^}]*\}", "{}", path)


def resolve(schema, document, seen):
    """Follows references and joins the parts of allOf. The second value names the definitions passed
    on the way; the first is None where one of them is among those already seen."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        if name in seen:
            return None, seen
        return resolve(document["definitions"][name], document, seen | {name})
    if "allOf" in schema:
        joined = {"type": "object", "properties": {}}
        for part in schema["allOf"]:
            part, seen = resolve(part, document, seen)
            if part is None:
                return None, seen
            joined["properties"].update(part.get("properties") or {})
            for key in ("type", "format", "items", "additionalProperties"):
                if key in part:
                    joined[key] = part[key]
        return joined, seen
    return schema, seen


def type_of(schema, document, seen=frozenset()):
    schema, seen = resolve(schema, document, seen)
    if schema is None:
        return "object"
    kind = schema.get("type")
    if kind == "array" or "items" in schema:
        return f"array<{type_of(schema.get('items') or {}, document, seen)}>"
    if isinstance(schema.get("additionalProperties"), dict):
        return f"map<{type_of(schema['additionalProperties'], document, seen)}>"
    if kind == "object" or schema.get("properties"):
        return "object"
    if kind == "string" and schema.get("format") == "binary":
        return "stream"
    form = schema.get("format")
    # `dateTime` and the like are spellings of text; the width of a number is a fact.
    return f"{kind}/{form}" if form and kind in ("integer", "number") else kind or "any"


def walk(schema, document, path, seen, found):
    """Adds (path, type) of every field below a schema."""
    schema, seen = resolve(schema, document, seen)
    if schema is None:
        return
    for name, field in (schema.get("properties") or {}).items():
        at = f"{path}.{name}" if path else name
        found.add((at, type_of(field, document, seen)))
        walk(field, document, at, seen, found)
    if isinstance(schema.get("items"), dict):
        walk(schema["items"], document, path + "[]", seen, found)
    if isinstance(schema.get("additionalProperties"), dict):
        walk(schema["additionalProperties"], document, path + "{}", seen, found)


def filters(description):
    """The filters that a description lists, each as a bullet that starts with its name as code."""
    return set(re.findall(r"^\s*[-*] +`([a-z][a-z.-]*)", description, re.MULTILINE))


def fields(operation, document):
    """Every (where, name, type) of one operation."""
    found = set()
    for parameter in operation.get("parameters") or []:
        where, name = parameter["in"], parameter["name"]
        if where == "body":
            kind = type_of(parameter["schema"], document)
            # A body of plain text that is described as a file is a stream too.
            kind = "stream" if kind == "string" else kind
            found.add((where, ".", kind))
            inside = set()
            walk(parameter["schema"], document, "", frozenset(), inside)
            found.update((where, *field) for field in inside)
            continue
        name = name.lower() if where == "header" else name
        found.add((where, name, type_of(parameter, document)))
        if (where, name) == ("query", "filters"):
            for key in filters(parameter.get("description") or ""):
                found.add((where, f"filters{{{key}}}", "array<string>"))
    return found


def runs(minors, every):
    """The versions as runs of neighbours among all that were read."""
    places = [every.index(minor) for minor in minors]
    out, start = [], 0
    for n in range(1, len(places) + 1):
        if n == len(places) or places[n] != places[n - 1] + 1:
            out.append(f"1.{minors[start]}-1.{minors[n - 1]}")
            start = n
    return ",".join(out)


def main():
    versions = {}
    for file in pathlib.Path(sys.argv[1]).iterdir():
        match = re.fullmatch(r"v1\.(\d+)(-master)?\.yaml", file.name)
        if match:
            if int(match[1]) in versions:
                sys.exit(f"two schemas of 1.{match[1]}")
            versions[int(match[1])] = yaml.load(file.read_text(), LOADER)
    every = sorted(versions)
    names, seen = {}, {}
    for minor in every:
        document = versions[minor]
        for path, methods in document["paths"].items():
            for method in METHODS:
                if method not in methods:
                    continue
                endpoint = (shape(path), method.upper())
                # The newest name of an endpoint and of its parameters is the one that is written.
                renamed = dict(zip(re.findall(r"\{([^}]*)\}", names.get(endpoint, ("", ""))[0]),
                                   re.findall(r"\{([^}]*)\}", path)))
                for old, new in renamed.items():
                    fact = (endpoint, ("path", old, "string"))
                    if old != new and fact in seen:
                        seen[(endpoint, ("path", new, "string"))] = seen.pop(fact)
                names[endpoint] = (path, methods[method]["operationId"])
                # An endpoint is a fact too, even without a field.
                for field in fields(methods[method], document) | {("endpoint", "-", "-")}:
                    seen.setdefault((endpoint, field), []).append(minor)
    order = ("endpoint", "path", "query", "header", "body")
    lines = []
    for (endpoint, (where, name, kind)), minors in seen.items():
        path, operation = names[endpoint]
        key = (path, endpoint[1], order.index(where), name, minors[0], kind)
        line = f"{endpoint[1]} {path} {operation} {where} {name} {kind} {runs(minors, every)}"
        lines.append((key, line))
    print(f"# Written by scripts/fields.py from the API schemas 1.{', 1.'.join(map(str, every))}.")
    for _, line in sorted(lines):
        print(line)


if __name__ == "__main__":
    main()
