"""The JSON schema of the configuration, for editors; ``python -m config.schema`` writes it anew."""

import json
from pathlib import Path

from config.environment import Environment

PATH = Path(__file__).with_name("schema.json")


def render() -> str:
    """The schema as committed: sorted, indented, with a final newline."""
    schema = Environment.model_json_schema(by_alias=True)
    return json.dumps(schema, indent=2, sort_keys=True) + "\n"


if __name__ == "__main__":
    PATH.write_text(render())
