"""The example of a stack file is minimal."""

from pathlib import Path

import pytest
import yaml

from config.loader import ConfigError, parse
from config.stack_config import StackConfig

EXAMPLE = Path(__file__).parents[3] / "Pulumi.example.yaml"


def test_each_section_of_the_example_is_required_or_explained() -> None:
    sections = {key.removeprefix("rsp:"): value for key, value in yaml.safe_load(EXAMPLE.read_text())["config"].items()}
    for name in sections.keys() - {"tls", "ingress"}:
        rest = {key: value for key, value in sections.items() if key != name}
        with pytest.raises(ConfigError, match=f"rsp:{name}( is missing|: is required)"):
            parse(rest, EXAMPLE.name, StackConfig)
