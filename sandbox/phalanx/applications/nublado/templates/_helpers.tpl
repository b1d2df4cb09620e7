{{- define "nublado.selectorLabels" -}}
app.kubernetes.io/name: nublado
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "nublado.labels" -}}
{{ include "nublado.selectorLabels" . }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}
