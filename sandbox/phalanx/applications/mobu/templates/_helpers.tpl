{{- define "mobu.selectorLabels" -}}
app.kubernetes.io/name: mobu
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "mobu.labels" -}}
{{ include "mobu.selectorLabels" . }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}
