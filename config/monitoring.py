from typing import Annotated, Self

from pydantic import Field, model_validator

from config.changes import in_place, replaces
from config.node_groups import LabelKey, LabelValue
from config.section import Section, Slug


class Monitoring(Section):
    """Alerts and a dashboard for a Prometheus operator and a Grafana that the cluster already has."""

    namespace: Annotated[
        Slug | None, replaces("the alerts, the scrape configuration and the dashboard; without it they are deleted")
    ] = Field(
        default=None,
        description=(
            "Existing namespace for the PrometheusRule, the PodMonitors and the dashboard's ConfigMap; by default none "
            "of them is created"
        ),
        examples=["monitoring"],
    )
    labels: Annotated[dict[LabelKey, LabelValue], in_place("updates the PrometheusRule and the PodMonitors")] = Field(
        default={},
        max_length=20,
        description=(
            "Labels by which Prometheus selects rules and monitors; kube-prometheus-stack selects those with the name "
            "of its Helm release as `release`, unless its values say otherwise"
        ),
        examples=[{"release": "kube-prometheus-stack"}],
    )

    @model_validator(mode="after")
    def _labels_of_something(self) -> Self:
        if self.labels and self.namespace is None:
            raise ValueError("labels has no effect without namespace: set it to the namespace of Prometheus")
        return self
