{{/*
Labels by which Services and controllers find the Pods of a component.
Takes a dictionary: root (the chart's context), component.
*/}}
{{- define "jupyterhub.selectorLabels" -}}
app.kubernetes.io/name: jupyterhub
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "jupyterhub.labels" -}}
{{ include "jupyterhub.selectorLabels" . }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
{{- end }}
