{{- define "gafaelfawr.selectorLabels" -}}
app.kubernetes.io/name: gafaelfawr
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "gafaelfawr.labels" -}}
{{ include "gafaelfawr.selectorLabels" . }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{/* Environment variables of every process: Gafaelfawr's secrets. */}}
{{- define "gafaelfawr.environment" -}}
{{- $secrets := dict
  "GAFAELFAWR_BOOTSTRAP_TOKEN" "bootstrap-token"
  "GAFAELFAWR_DATABASE_PASSWORD" "database-password"
  "GAFAELFAWR_REDIS_PASSWORD" "redis-password"
  "GAFAELFAWR_SESSION_SECRET" "session-secret"
}}
{{- if .Values.config.github.clientId }}
{{- $_ := set $secrets "GAFAELFAWR_GITHUB_CLIENT_SECRET" "github-client-secret" }}
{{- end }}
{{- if .Values.config.oidcServer.enabled }}
{{- $_ := set $secrets "GAFAELFAWR_OIDC_SERVER_CLIENTS" "oidc-server-secrets" }}
{{- $_ := set $secrets "GAFAELFAWR_SIGNING_KEY" "signing-key" }}
{{- end }}
{{- if .Values.config.slackAlerts }}
{{- $_ := set $secrets "GAFAELFAWR_ALERT_HOOK" "slack-webhook" }}
{{- end }}
{{- range $variable, $key := $secrets }}
- name: {{ $variable }}
  valueFrom:
    secretKeyRef:
      name: gafaelfawr
      key: {{ $key }}
{{- end }}
{{- end }}

{{/* What no container of Gafaelfawr may do. */}}
{{- define "gafaelfawr.securityContext" -}}
allowPrivilegeEscalation: false
capabilities:
  drop: ["ALL"]
readOnlyRootFilesystem: true
runAsNonRoot: true
{{- end }}
