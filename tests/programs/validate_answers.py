"""Validates answers of the tool against their JSON Schema, which it closes first: a member or value
that the schema does not name is an error here, though consumers have to expect such.

usage: validate_answers.py SCHEMA FOLDER [UNSEEN]

FOLDER has the answers, documents COMMAND.*.json and lines COMMAND.*.ndjson. If it has schemas of single
commands, COMMAND.document.schema and COMMAND.line.schema, these are taken. With UNSEEN, a file of lines
"PLACE  REASON", the schema itself is checked, and every property of it must occur in the answers but
for those that are listed there.

Prints what is wrong. Exit codes: 0 nothing, 1 something is.
"""

import copy
import json
import os
import re
import sys

import jsonschema

Validator = jsonschema.Draft202012Validator
SHAPES = 8  # lines of one shape that are validated
ERRORS = 20


def subschemas(schema):
    """All schemas of a document, not what stands in `const` or `x-values`."""
    yield schema
    for key in ("properties", "$defs"):
        for part in schema.get(key, {}).values():
            yield from subschemas(part)
    for key in ("oneOf", "anyOf", "allOf"):
        for part in schema.get(key, ()):
            yield from subschemas(part)
    for key in ("items", "then"):
        if key in schema:
            yield from subschemas(schema[key])


def check_schema(schema):
    """Is it one, and does each of its properties say what it is?"""
    Validator.check_schema(schema)
    for part in subschemas(schema):
        for name, value in part.get("properties", {}).items():
            target = schema["$defs"].get(value.get("$ref", "").rpartition("/")[2], {})
            if not (value.get("description") or target.get("description")):
                yield "no description: %s" % name
        for name in part.get("required", ()):
            if name not in part["properties"]:
                yield "required, and no property: %s" % name


def check_problems(schema):
    """Are the kinds of problems those of the sources? Most are too rare to occur in a test."""
    written = set()
    for folder, _, names in os.walk("corelib"):
        for name in names:
            with open(os.path.join(folder, name)) as file:
                written.update(re.findall(r'coverage_add\([^;"]*"([a-z-]+)"', file.read()))
    listed = set(schema["$defs"]["problem"]["properties"]["kind"]["x-values"])
    for kind in sorted(written ^ listed):
        yield "kind of problem in the %s only: %s" % ("schema" if kind in listed else "sources", kind)


def close(schema):
    """Nothing is allowed but what it names."""
    closed = copy.deepcopy(schema)
    for part in subschemas(closed):
        if part.get("type") == "object" and "properties" in part:
            part["additionalProperties"] = False
        if "x-values" in part:
            part["enum"] = part["x-values"]
    return closed


class Seen:
    """Which properties of the schema occur."""

    def __init__(self, schema):
        self.schema = schema
        self.places = {}
        self.validators = {}
        for name, part in [("document", {**schema, "$defs": {}})] + list(schema["$defs"].items()):
            for place in self.properties(part, name):
                self.places[place] = False

    def properties(self, schema, place):
        for name, part in schema.get("properties", {}).items():
            yield "%s.%s" % (place, name)
            yield from self.properties(part, "%s.%s" % (place, name))
        for key in ("oneOf", "anyOf"):
            for i, part in enumerate(schema.get(key, ())):
                yield from self.properties(part, "%s/%d" % (place, i))
        if "items" in schema:
            yield from self.properties(schema["items"], place + "[]")

    def fits(self, schema, value):
        key = id(schema)
        if key not in self.validators:
            self.validators[key] = Validator({**schema, "$defs": self.schema["$defs"]})
        return self.validators[key].is_valid(value)

    def mark(self, schema, place, value):
        if "$ref" in schema:
            name = schema["$ref"].rpartition("/")[2]
            self.mark(self.schema["$defs"][name], name, value)
        for i, part in enumerate(schema.get("oneOf", schema.get("anyOf", ()))):
            if self.fits(part, value):
                self.mark(part, "%s/%d" % (place, i), value)
        if isinstance(value, dict):
            for name, part in schema.get("properties", {}).items():
                if name in value:
                    self.places["%s.%s" % (place, name)] = True
                    self.mark(part, "%s.%s" % (place, name), value[name])
        if isinstance(value, list) and "items" in schema:
            for item in value:
                self.mark(schema["items"], place + "[]", item)


def shape(value):
    """What matters of a line: members, types, and words that may be of a list of values."""
    if isinstance(value, dict):
        return tuple((key, shape(part)) for key, part in value.items())
    if isinstance(value, list):
        return frozenset(map(shape, value))
    if isinstance(value, str) and re.fullmatch("[a-z-]{1,20}", value):
        return value
    return type(value).__name__


def some_lines(path):
    """The lines of a file, a few of each shape."""
    counts = {}
    with open(path) as file:
        for line in file:
            value = json.loads(line)
            key = shape(value)
            counts[key] = counts.get(key, 0) + 1
            if counts[key] <= SHAPES:
                yield value


def describe(error):
    """Where and what, of the branch that fits best."""
    while error.context:
        error = max(error.context, key=lambda e: (len(e.absolute_path), e.validator != "const"))
    return "%s: %s" % ("/".join(map(str, error.absolute_path)), error.message[:300])


def validator_of(schema, folder, command, kind):
    """By the schema that the tool gives for a command, or else by a part of the whole."""
    path = os.path.join(folder, "%s.%s.schema" % (command, kind))
    if not os.path.exists(path):
        part = schema if kind == "document" else schema["$defs"][command + "_line"]
        return Validator({**part, "$defs": schema["$defs"]})
    with open(path) as file:
        schema = json.load(file)
    Validator.check_schema(schema)
    return Validator(close(schema))


def validate(schema, folder, seen):
    """Yields what does not fit."""
    validators = {}
    for name in sorted(os.listdir(folder)):
        path, command = os.path.join(folder, name), name.split(".")[0]
        if name.endswith(".json"):
            with open(path) as file:
                answers = [json.load(file)]
            kind, part, place = "document", schema, "document"
            seen.mark(schema["$defs"][command + "_result"], command + "_result", answers[0]["result"])
            if answers[0]["command"] != command:
                yield "%s: command is %s" % (name, answers[0]["command"])
        elif name.endswith(".ndjson"):
            answers = list(some_lines(path))
            kind, part, place = "line", schema["$defs"][command + "_line"], command + "_line"
        else:
            continue
        if (command, kind) not in validators:
            validators[command, kind] = validator_of(schema, folder, command, kind)
        for answer in answers:
            seen.mark(part, place, answer)
            for error in validators[command, kind].iter_errors(answer):
                yield "%s: %s" % (name, describe(error))


def unseen(seen, path):
    """Yields what does not occur and should."""
    listed = {}
    with open(path) as file:
        for line in file:
            if line.strip() and not line.startswith("#"):
                place, _, reason = line.strip().partition("  ")
                listed[place] = reason.strip()
    for place, occurs in seen.places.items():
        if not occurs and place not in listed:
            yield "never occurs: %s" % place
    for place, reason in listed.items():
        if place not in seen.places:
            yield "listed, and not in the schema: %s" % place
        if not reason:
            yield "listed without a reason: %s" % place


def main():
    with open(sys.argv[1]) as file:
        schema = json.load(file)
    wrong = []
    if len(sys.argv) > 3:
        wrong += [*check_schema(schema), *check_problems(schema)]
    closed = close(schema)
    seen = Seen(closed)
    wrong += validate(closed, sys.argv[2], seen)
    if len(sys.argv) > 3:
        wrong += unseen(seen, sys.argv[3])
    for line in wrong[:ERRORS] if len(sys.argv) == 3 else wrong:
        print(line)
    if len(sys.argv) == 3 and len(wrong) > ERRORS:
        print("and %d more" % (len(wrong) - ERRORS))
    return bool(wrong)


sys.exit(main())
