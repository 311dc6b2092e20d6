{{- define "probehound.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "probehound.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- $name := include "probehound.name" . -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "probehound.serviceAccountName" -}}
{{- $own := ternary (include "probehound.fullname" .) "default" .Values.serviceAccount.create -}}
{{- default $own .Values.serviceAccount.name -}}
{{- end -}}

{{/* What selects the pods; it can never change. */}}
{{- define "probehound.selectorLabels" -}}
app.kubernetes.io/name: {{ include "probehound.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: operator
{{- end -}}

{{- define "probehound.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "probehound.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: probehound
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "probehound.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ default $.Chart.AppVersion .tag }}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* The port of http.listen, which is written as :8080, 127.0.0.1:8080 or [::1]:8080. */}}
{{- define "probehound.port" -}}
{{- $listen := dig "http" "listen" ":8080" .Values.config | default ":8080" -}}
{{- regexFind "[0-9]+$" $listen -}}
{{- end -}}

{{/* The port of the page, which each visitor needs a token for; empty where it is on loopback or off. */}}
{{- define "probehound.pageAuthentication" -}}
{{- if or .Values.page.enabled (dig "page" "authentication" false .Values.config) -}}true{{- end -}}
{{- end -}}

{{/* The namespaces that are watched, as JSON; none: all of them. */}}
{{- define "probehound.namespaces" -}}
{{- dig "watch" "namespaces" list .Values.config | default list | toJson -}}
{{- end -}}

{{/* Makes the metadata of what may be in another namespace: takes the root, the part of the values, and a name. */}}
{{- define "probehound.monitoringMetadata" -}}
name: {{ .name }}
namespace: {{ default .root.Release.Namespace .values.namespace }}
labels:
  {{- include "probehound.labels" .root | nindent 2 }}
  {{- with .values.labels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with .values.annotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* What is scraped, of a Service's port or a pod's. */}}
{{- define "probehound.endpoint" -}}
port: http
path: /metrics
interval: {{ .interval }}
{{- with .scrapeTimeout }}
scrapeTimeout: {{ . }}
{{- end }}
{{- with .bearerTokenFile }}
bearerTokenFile: {{ . }}
{{- end }}
# Findings have a label `namespace` of their own: that of the workload.
honorLabels: true
{{- with .relabelings }}
relabelings:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .metricRelabelings }}
metricRelabelings:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* All that it may do outside of its own namespace; a test holds it to manifests/base/rights.yaml. */}}
{{- define "probehound.rules" -}}
# What loops: restarts and states stand in pods, why in the kubelet's events.
- apiGroups: [""]
  resources: [pods, events]
  verbs: [list, watch]
# Who owns a pod, up to what a person would edit.
- apiGroups: [apps]
  resources: [deployments, statefulsets, daemonsets, replicasets]
  verbs: [get]
- apiGroups: [batch]
  resources: [jobs, cronjobs]
  verbs: [get]
# Earlier revisions: what changed, and the value that worked.
- apiGroups: [apps]
  resources: [replicasets, controllerrevisions]
  verbs: [list]
# Which Services are out.
- apiGroups: [""]
  resources: [services]
  verbs: [list]
- apiGroups: [discovery.k8s.io]
  resources: [endpointslices]
  verbs: [list]
# Its own objects: written, put right when somebody edits them, removed when long over.
- apiGroups: [probehound.dev]
  resources: [findings]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [probehound.dev]
  resources: [findings/status]
  verbs: [patch]
# Its words in kubectl describe.
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create]
{{- end -}}

{{/* A text in which the runbook is where config.runbookUrl says. */}}
{{- define "probehound.withRunbook" -}}
{{- $url := dig "runbookUrl" "" .root.Values.config -}}
{{- if $url -}}
{{- regexReplaceAllLiteral "https://[^\"# ]*/docs/runbook\\.md" .text $url -}}
{{- else -}}
{{- .text -}}
{{- end -}}
{{- end -}}
