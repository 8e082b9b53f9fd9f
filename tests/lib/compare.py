"""Compares two OpenAPI documents, operation by operation: parameters with place, need, type and
values; members of bodies likewise; statuses and fields of successes.

A difference is a row (operation, what, here, there). Left out is what only says a thing more closely
than the other document: bounds, formats, null for "absent", the values of a text that the other
describes in prose.
"""

from collections import namedtuple

Difference = namedtuple("Difference", "operation what here there")

NOTHING = "-"
DEPTH_MAX = 6


class Document:
    def __init__(self, document, prefix):
        self.document = document
        self.operations = {}
        for path, methods in document["paths"].items():
            if path.startswith(prefix):
                for method, operation in methods.items():
                    self.operations[f"{method.upper()} {path[len(prefix):]}"] = operation

    def resolved(self, schema):
        while "$ref" in schema:
            node = self.document
            for part in schema["$ref"].removeprefix("#/").split("/"):
                node = node[part]
            schema = node
        return schema

    def branches(self, schema):
        """The schema, or the alternatives that it stands for."""
        schema = self.resolved(schema)
        found = []
        for kind in ("anyOf", "oneOf", "allOf"):
            for each in schema.get(kind, []):
                found += self.branches(each)
        return found or [schema]

    def types(self, schema):
        found = set()
        for branch in self.branches(schema):
            types = branch.get("type", "object" if "properties" in branch else "anything")
            found |= set(types if isinstance(types, list) else [types])
        found.discard("null")
        items = {each for branch in self.branches(schema) if "items" in branch
                 for each in self.types(branch["items"])}
        return {f"list of {' or '.join(sorted(items))}" if each == "array" and items else each
                for each in found}

    def words(self, schema):
        found = []
        for branch in self.branches(schema):
            found += branch.get("enum", [])
            if "items" in branch:
                found += self.words(branch["items"])
        return {str(word) for word in found}

    def fields(self, schema, depth=0):
        """name -> schema of an object's keys, those of inner objects and lists as "outer.inner"."""
        found = {}
        for branch in self.branches(schema):
            if "items" in branch:
                found |= self.fields(branch["items"], depth)
            for name, inner in branch.get("properties", {}).items():
                found[name] = inner
                if depth < DEPTH_MAX:
                    for below, each in self.fields(inner, depth + 1).items():
                        found[f"{name}.{below}"] = each
        return found

    def parameters(self, operation):
        """(place, name) -> (schema, required), the members of a body among them."""
        found = {}
        for parameter in operation.get("parameters", []):
            if parameter["in"] != "header":
                found[parameter["in"], parameter["name"]] = (parameter["schema"],
                                                             parameter.get("required", False))
        for media in operation.get("requestBody", {}).get("content", {}).items():
            kind, schema = media[0], self.resolved(media[1].get("schema", {}))
            place = {"multipart/form-data": "form", "application/json": "body"}.get(kind, kind)
            for branch in self.branches(schema):
                for name, inner in branch.get("properties", {}).items():
                    found[place, name] = (inner, name in branch.get("required", []))
        return found

    def successes(self, operation):
        """status -> schema or None."""
        found = {}
        for status, answer in operation["responses"].items():
            if status.startswith("2"):
                content = answer.get("content", {})
                schema = next((media.get("schema") for media in content.values()), None)
                found[status] = schema
        return found


def differences(own, published):
    """Of every operation that both documents have."""
    found = []
    for name, operation in own.operations.items():
        if name not in published.operations:
            continue
        other = published.operations[name]

        def note(what, here, there, operation=name):
            if here != there:
                found.append(Difference(operation, what, here, there))

        compare_parameters(own, operation, published, other, note)
        compare_successes(own, operation, published, other, note)
    return found


def compare_parameters(own, operation, published, other, note):
    here, there = own.parameters(operation), published.parameters(other)
    for key in sorted(set(here) | set(there)):
        what = f"{key[0]} `{key[1]}`"
        if key not in here or key not in there:
            note(what, *("taken" if key in side else NOTHING for side in (here, there)))
            continue
        note(what + ": need", *("required" if side[key][1] else "optional"
                                for side in (here, there)))
        compare_values(own, here[key][0], published, there[key][0], what, note)


def compare_successes(own, operation, published, other, note):
    here, there = own.successes(operation), published.successes(other)
    note("status", ", ".join(sorted(here)), ", ".join(sorted(there)))
    mine = [schema for schema in here.values() if schema]
    theirs = [schema for schema in there.values() if schema]
    if not mine or not theirs:
        note("body", *("JSON" if side else NOTHING for side in (mine, theirs)))
        return
    mine, theirs = own.fields(mine[0]), published.fields(theirs[0])
    for name in sorted(set(mine) | set(theirs)):
        what = f"field `{name}`"
        outer = name.rpartition(".")[0]
        if outer and (outer not in mine or outer not in theirs):
            continue  # said with the outer one
        if name not in mine or name not in theirs:
            note(what, *("sent" if name in side else NOTHING for side in (mine, theirs)))
        else:
            compare_values(own, mine[name], published, theirs[name], what, note)


def compare_values(own, mine, published, theirs, what, note):
    types = [" or ".join(sorted(document.types(schema)))
             for document, schema in ((own, mine), (published, theirs))]
    note(what + ": type", *types)
    words = own.words(mine), published.words(theirs)
    if words[1]:
        note(what + ": values", *(", ".join(sorted(each)) or NOTHING for each in words))
