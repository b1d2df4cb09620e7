"""The plugins built for the sandbox have all types and properties that the program uses."""

import ast
import importlib
import inspect
import json
import re
import subprocess
import typing
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
from pulumi import _types

from sandbox.tools import pulumi_home
from tests.unit.program.force_new import COMPUTED, FORCE_NEW, NESTED_FORCE_NEW

ROOT: Final = Path(__file__).parents[3]
PLUGINS: Final = ("openstack", "vault")

NOT_IN_PLUGIN: Final = {
    "vault:index/policy:Policy": {
        "allowOverwrite"
    },  # from a later release of Terraform's provider, which has no Go module
}

_LISTS: Final = {5, 7}
"""The bridge's value types for lists and sets."""

_TOKEN: Final = re.compile(r"(?:openstack|vault):\w+/\w+:\w+")


def table(plugin: str) -> dict[str, str]:
    """Return the type tokens of a plugin by Terraform name; those of functions begin with `data.`."""
    known = json.loads((ROOT / "sandbox" / "tools" / "pulumi" / plugin / "tokens.json").read_text())
    functions = {f"data.{name}": token for name, token in known.get("functions", {}).items()}
    return {**known["resources"], **functions}


# What the program uses


@cache
def used() -> dict[str, str]:
    """Return the tokens of resources and functions that this project uses, each with a file that uses it."""
    paths = [path for top in sorted(ROOT.iterdir()) if not top.name.startswith(".") for path in _modules(top)]
    # Most modules import no SDK, and to parse all takes seconds.
    sources = {path: text for path in paths if "pulumi_" in (text := path.read_text())}
    return {
        token: str(path.relative_to(ROOT)) for path, text in sources.items() for token in _tokens_in(ast.parse(text))
    }


def _modules(top: Path) -> list[Path]:
    return sorted(top.rglob("*.py")) if top.is_dir() else [top] if top.suffix == ".py" else []


def _tokens_in(tree: ast.Module) -> Iterator[str]:
    imported = dict(_imported(tree))
    for node in ast.walk(tree):
        named = _resolve(node, imported) if isinstance(node, ast.Attribute | ast.Name) else None
        if inspect.isclass(named) or inspect.isfunction(named):
            yield from _tokens_of(named)


def _tokens_of(named: Any) -> list[str]:
    """Return the token of a resource's class, or that in the code of a function."""
    return _TOKEN.findall(getattr(named, "pulumi_type", "") if inspect.isclass(named) else inspect.getsource(named))


def _imported(tree: ast.Module) -> Iterator[tuple[str, object]]:
    """Yield what a module imports from the two SDKs, with its local name."""
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                for alias in names:
                    if alias.name.partition(".")[0] in {f"pulumi_{plugin}" for plugin in PLUGINS}:
                        module = alias.name if alias.asname else alias.name.partition(".")[0]
                        yield alias.asname or module, importlib.import_module(module)
            case ast.ImportFrom(module=str(module), names=names, level=0):
                if module.partition(".")[0] in {f"pulumi_{plugin}" for plugin in PLUGINS}:
                    for alias in names:
                        yield alias.asname or alias.name, getattr(importlib.import_module(module), alias.name)


def _resolve(node: ast.expr, imported: Mapping[str, object]) -> object:
    match node:
        case ast.Name(id=name):
            return imported.get(name)
        case ast.Attribute(value=value, attr=attribute):
            return getattr(_resolve(value, imported), attribute, None)
    return None


def test_every_resource_and_function_of_the_program_is_in_a_table() -> None:
    known = {token for plugin in PLUGINS for token in table(plugin).values()}
    found = used()
    assert {"openstack:networking/network:Network", "vault:kv/secretV2:SecretV2"} <= found.keys()
    assert "openstack:networking/getSubnet:getSubnet" in found
    missing = {token: path for token, path in found.items() if token not in known}
    assert not missing, "add to sandbox/tools/pulumi/<provider>/tokens.json"


@pytest.mark.parametrize(
    ("source", "token"),
    [
        ("import pulumi_vault\npulumi_vault.Mount('m')", "vault:index/mount:Mount"),
        ("import pulumi_vault.kv as kv\nkv.SecretV2('s')", "vault:kv/secretV2:SecretV2"),
        ("from pulumi_openstack import images\nimages.get_image_output()", "openstack:images/getImage:getImage"),
        ("from pulumi_openstack.dns import Zone as Z\ndef f(z: Z): ...", "openstack:dns/zone:Zone"),
    ],
)
def test_a_use_is_found_with_any_kind_of_import(source: str, token: str) -> None:
    assert set(_tokens_in(ast.parse(source))) == {token}


@pytest.mark.parametrize("token", [token for plugin in PLUGINS for token in table(plugin).values()])
def test_a_token_is_that_of_the_sdk(token: str) -> None:
    assert set(_tokens_of(of_sdk(token))) == {token}


# Properties of the SDKs


def of_sdk(token: str) -> Any:
    """Return the SDK's class of a resource, or its function."""
    package, place, name = token.split(":")
    module = place.partition("/")[0].lower()
    namespace = importlib.import_module(f"pulumi_{package}" if module == "index" else f"pulumi_{package}.{module}")
    return getattr(namespace, name if name[0].isupper() else re.sub(r"(?=[A-Z])", "_", name).lower())


def properties_of_sdk(types: Mapping[str, Any], above: str = "") -> set[str]:
    """Return the property names on the wire, nested ones as `fixedIps.subnetId`."""
    found = set()
    for name, annotation in types.items():
        found.add(f"{above}{name}")
        for nested in _nested(annotation):
            found |= properties_of_sdk(_types_of(nested), f"{above}{name}.")
    return found


def _nested(annotation: Any) -> list[type]:
    """Return the SDK's classes of the objects in an annotation."""
    if inspect.isclass(annotation) and (_types.is_input_type(annotation) or _types.is_output_type(annotation)):
        return [annotation]
    return [each for argument in typing.get_args(annotation) for each in _nested(argument)]


def _types_of(objects: type) -> dict[str, Any]:
    of = _types.input_type_types if _types.is_input_type(objects) else _types.output_type_types
    return dict(of(objects))


# Properties of the plugins


@cache
def built(plugin: str) -> dict[str, Any]:
    """Return the bridge's information about a plugin's provider, which the official plugins have as well."""
    package = Path(inspect.getfile(importlib.import_module(f"pulumi_{plugin}"))).parent
    version = json.loads((package / "pulumi-plugin.json").read_text())["version"]
    program = pulumi_home() / "plugins" / f"resource-{plugin}-v{version}" / f"pulumi-resource-{plugin}"
    if not program.exists():
        pytest.skip(f"the plugin pulumi-resource-{plugin} is not installed; `make tools` installs it")
    assert subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout.split() == [
        version
    ]
    run = subprocess.run([program, "--get-provider-info"], capture_output=True, check=True)
    return dict(json.loads(run.stdout))


def properties_of_plugin(
    schema: Mapping[str, Any], fields: Mapping[str, Any], inputs_only: bool = False, above: str = ""
) -> set[str]:
    """Return the property names on the wire, as the bridge derives them from Terraform's (its package `naming`)."""
    found = set()
    for name, about in schema.items():
        if inputs_only and not (about.get("optional") or about.get("required")):
            continue
        wire = above + _wire_name(name, about, schema, fields)
        found.add(wire)
        found |= properties_of_plugin(_element(about), {}, above=f"{wire}.")
    return found - {"id", "timeouts"}


def _wire_name(name: str, about: Mapping[str, Any], schema: Mapping[str, Any], fields: Mapping[str, Any]) -> str:
    renamed = fields.get(name, {}).get("name")
    if renamed:
        return str(renamed)
    if about["type"] in _LISTS and about.get("maxItems") != 1:
        plural = name if name.endswith("s") else re.sub("y$", "ie", name) + "s"
        name = name if plural in schema else plural
    first, *others = name.split("_")
    return first + "".join(other.capitalize() for other in others)


def _element(about: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the schema of the objects in a list, which may be nested, or an empty one."""
    element = about.get("element") or {}
    return element.get("resource") or (_element(element["schema"]) if "schema" in element else {})


RESOURCES: Final = [(plugin, name) for plugin in PLUGINS for name in table(plugin) if not name.startswith("data.")]
FUNCTIONS: Final = [(plugin, name) for plugin in PLUGINS for name in table(plugin) if name.startswith("data.")]


@pytest.mark.parametrize(("plugin", "name"), RESOURCES)
def test_a_resource_has_the_properties_that_the_sdk_sends_and_reads(plugin: str, name: str) -> None:
    info = built(plugin)
    token = table(plugin)[name]
    assert info["resources"][name]["tok"] == token
    schema, fields = info["provider"]["resources"][name], info["resources"][name].get("fields") or {}
    resource, unknown = of_sdk(token), NOT_IN_PLUGIN.get(token, set())
    arguments = inspect.getmodule(resource).__dict__[f"{resource.__name__}Args"]
    sent = properties_of_sdk(_types.input_type_types(arguments))
    assert properties_of_plugin(schema, fields, inputs_only=True) == sent - unknown
    assert properties_of_plugin(schema, fields) == properties_of_sdk(_types.resource_types(resource)) - unknown
    by_wire_name = {_wire_name(key, about, schema, fields): about for key, about in schema.items()}
    required = _required_by_sdk(arguments)
    assert all(by_wire_name[each].get("required") for each in required)
    assert ("name" in sent - required) == bool(fields.get("name", {}).get("default", {}).get("autonamed"))
    constructor = inspect.getsource(resource._internal_init)  # noqa: SLF001 - the whole class takes long to read
    declared = re.search(r"additional_secret_outputs=\[(.*?)\]", constructor)
    secret = set(re.findall(r'"(\w+)"', declared[1])) if declared else set()
    of_plugin = {each for each, about in by_wire_name.items() if about.get("sensitive")}
    assert of_plugin == {each for each in secret if not each.endswith("Wo")}  # "Wo": write-only, so never an output


@pytest.mark.parametrize("token", [token for token in FORCE_NEW if token.partition(":")[0] in PLUGINS])
def test_a_change_of_these_properties_replaces_a_resource(token: str) -> None:
    assert FORCE_NEW[token] == {name for name, about in _properties(token).items() if about.get("forceNew")}


@pytest.mark.parametrize("token", NESTED_FORCE_NEW)
def test_a_change_of_what_these_properties_contain_replaces_a_resource(token: str) -> None:
    for name in NESTED_FORCE_NEW[token]:
        nested = _properties(token)[name]["element"]["resource"]
        assert nested
        assert all(each.get("forceNew") for each in nested.values())


@pytest.mark.parametrize("token", COMPUTED)
def test_a_removal_of_these_properties_changes_nothing(token: str) -> None:
    properties = _properties(token).items()
    assert COMPUTED[token] == {name for name, about in properties if about.get("optional") and about.get("computed")}


def test_all_resources_are_in_the_table_of_what_providers_compute() -> None:
    components = {token for token, path in used().items() if path.startswith("components/") and "get" not in token}
    assert components - COMPUTED.keys() == set()


def _properties(token: str) -> dict[str, Mapping[str, Any]]:
    """Return what the plugin says about the properties of a resource, by their names on the wire."""
    info = built(token.partition(":")[0])
    (name,) = [name for name, each in table(token.partition(":")[0]).items() if each == token]
    schema, fields = info["provider"]["resources"][name], info["resources"][name].get("fields") or {}
    return {_wire_name(key, about, schema, fields): about for key, about in schema.items()}


def _required_by_sdk(arguments: type) -> set[str]:
    names = _types.input_type_py_to_pulumi_names(arguments)
    parameters = inspect.signature(arguments).parameters.values()
    return {names[parameter.name] for parameter in parameters if parameter.default is inspect.Parameter.empty}


@pytest.mark.parametrize(("plugin", "name"), FUNCTIONS)
def test_a_function_has_the_arguments_and_results_of_the_sdk(plugin: str, name: str) -> None:
    info, key = built(plugin), name.removeprefix("data.")
    assert info["dataSources"][key]["tok"] == table(plugin)[name]
    schema, function = info["provider"]["dataSources"][key], of_sdk(table(plugin)[name])
    sent = set(re.findall(r"__args__\['(\w+)'\]", inspect.getsource(function)))
    inputs = {each for each in properties_of_plugin(schema, {}, inputs_only=True) if "." not in each}
    assert inputs == sent
    result = typing.get_type_hints(function)["return"]
    assert properties_of_plugin(schema, {}) == properties_of_sdk(_types.output_type_types(result)) - {"id"}


@pytest.mark.parametrize("plugin", PLUGINS)
def test_the_provider_has_the_settings_and_defaults_of_the_sdk(plugin: str) -> None:
    info, module = built(plugin), importlib.import_module(f"pulumi_{plugin}.provider")
    sent = properties_of_sdk(_types.input_type_types(module.ProviderArgs))
    assert properties_of_plugin(info["provider"]["schema"], info["config"]) == sent
    defaults = re.findall(r"(\w+) = \(?_utilities\.get_env\w*\('(\w+)'\)(?: or (\d+))?", inspect.getsource(module))
    assert defaults
    of_plugin = {name: about["default"] for name, about in info["config"].items()}
    assert of_plugin == {
        name: {"envvars": [variable], **({"value": int(fallback)} if fallback else {})}
        for name, variable, fallback in defaults
    }
