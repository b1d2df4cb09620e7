{{- define "squareone.selectorLabels" -}}
app.kubernetes.io/name: squareone
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "squareone.labels" -}}
{{ include "squareone.selectorLabels" . }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}
