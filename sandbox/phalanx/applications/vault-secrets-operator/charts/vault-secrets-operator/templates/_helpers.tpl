{{- define "vault-secrets-operator.selectorLabels" -}}
app.kubernetes.io/name: vault-secrets-operator
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "vault-secrets-operator.labels" -}}
{{ include "vault-secrets-operator.selectorLabels" . }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}
