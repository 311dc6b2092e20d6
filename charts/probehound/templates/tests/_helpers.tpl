{{/* Where the app of the test is: in the release's namespace, unless that is not watched. */}}
{{- define "probehound.testNamespace" -}}
{{- $watched := include "probehound.namespaces" . | fromJsonArray -}}
{{- if or (not $watched) (has .Release.Namespace $watched) -}}
{{- .Release.Namespace -}}
{{- else -}}
{{- first $watched -}}
{{- end -}}
{{- end -}}

{{- define "probehound.testName" -}}
{{- include "probehound.fullname" . | trunc 58 | trimSuffix "-" }}-test
{{- end -}}

{{/* What selects the app's pods; not what selects the operator's. */}}
{{- define "probehound.testLabels" -}}
app.kubernetes.io/name: {{ include "probehound.name" . | trunc 58 | trimSuffix "-" }}-test
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: test
{{- end -}}

{{/* The metadata of an object that lives as long as a test: takes the root, a namespace and a weight. */}}
{{- define "probehound.testMetadata" -}}
name: {{ include "probehound.testName" .root }}
namespace: {{ .namespace }}
labels:
  helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
  {{- include "probehound.testLabels" .root | nindent 2 }}
  app.kubernetes.io/part-of: probehound
  app.kubernetes.io/managed-by: {{ .root.Release.Service }}
  {{- with .root.Values.commonLabels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
annotations:
  helm.sh/hook: test
  helm.sh/hook-weight: {{ .weight | quote }}
  helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded,hook-failed
  {{- if eq .weight 5 }}
  helm.sh/hook-output-log-policy: hook-succeeded,hook-failed
  {{- end }}
{{- end -}}

{{/* How a pod of the test runs: where and as whom the operator does. */}}
{{- define "probehound.testPod" -}}
{{- with .Values.podSecurityContext }}
securityContext:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- range $key := list "imagePullSecrets" "nodeSelector" "tolerations" "affinity" }}
{{- with index $.Values $key }}
{{ $key }}:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "probehound.testContainer" -}}
image: {{ include "probehound.image" . }}
{{- if ne .Values.image.pullPolicy "IfNotPresent" }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
{{- end }}
{{- with .Values.resources }}
resources:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.securityContext }}
securityContext:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}
