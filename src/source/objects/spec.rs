//! The specification of a container.

use super::env::EnvLite;
use super::shape::{List, Mark, Present, TextOrNumber, lean};

lean! {
    /// A container.
    pub struct ContainerLite {
        name: String = "name",
        image: String = "image",
        command: List<String, 256> = "command",
        args: List<String, 256> = "args",
        ports: List<PortLite> = "ports",
        env_from: EnvLite = "envFrom",
        env: EnvLite = "env",
        resources: ResourcesLite = "resources",
        restart_policy: String = "restartPolicy",
        restart_policy_rules: List<RestartRuleLite, 20> = "restartPolicyRules",
        liveness_probe: Box<ProbeLite> = "livenessProbe",
        readiness_probe: Box<ProbeLite> = "readinessProbe",
        startup_probe: Box<ProbeLite> = "startupProbe",
        lifecycle: LifecycleLite = "lifecycle",
        image_pull_policy: String = "imagePullPolicy",
    }

    /// One of `restartPolicyRules`.
    pub struct RestartRuleLite {
        action: String = "action",
        exit_codes: ExitCodesLite = "exitCodes",
    }

    /// `exitCodes` of such a rule.
    pub struct ExitCodesLite {
        operator: String = "operator",
        values: List<i64, 255> = "values",
    }

    /// A declared port.
    pub struct PortLite {
        name: String = "name",
        container_port: i64 = "containerPort",
    }

    /// `resources`
    pub struct ResourcesLite {
        limits: LimitsLite = "limits",
    }

    /// `resources.limits`
    pub struct LimitsLite {
        memory: TextOrNumber = "memory",
    }

    /// `lifecycle`
    pub struct LifecycleLite {
        post_start: Present = "postStart",
    }

    /// A probe.
    pub struct ProbeLite {
        exec: Box<ExecLite> = "exec",
        http_get: Box<HttpGetLite> = "httpGet",
        tcp_socket: Box<TcpLite> = "tcpSocket",
        grpc: Box<GrpcLite> = "grpc",
        initial_delay_seconds: i64 = "initialDelaySeconds",
        timeout_seconds: i64 = "timeoutSeconds",
        period_seconds: i64 = "periodSeconds",
        failure_threshold: i64 = "failureThreshold",
        termination_grace_period_seconds: i64 = "terminationGracePeriodSeconds",
    }

    /// `httpGet`
    pub struct HttpGetLite {
        path: String = "path",
        port: TextOrNumber = "port",
        host: String = "host",
        scheme: String = "scheme",
        http_headers: List<HeaderLite, 32> = "httpHeaders",
    }

    /// One of `httpHeaders`.
    pub struct HeaderLite {
        name: String = "name",
        /// The hash of the value; the value itself is not kept.
        value: Mark = "value",
    }

    /// `tcpSocket`
    pub struct TcpLite {
        port: TextOrNumber = "port",
        host: String = "host",
    }

    /// `grpc`
    pub struct GrpcLite {
        port: TextOrNumber = "port",
        service: String = "service",
    }

    /// `exec`
    pub struct ExecLite {
        command: List<String, 256> = "command",
    }
}
