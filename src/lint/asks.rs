//! The target of a probe's request.

use super::pod::port_number;
use super::pod::{Container, Pod, Probe};
use super::value::is_placeholder;
use super::{Finding, Rule, Severity};
use crate::source::manifest::Node;
use crate::source::mask;

/// Problems with the host, path and headers of a probe.
pub fn probe(probe: &Probe<'_>, container: &Container<'_>, pod: &Pod<'_>, all: &mut Vec<Finding>) {
    let Some((kind, handler)) = probe.handler() else { return };
    if let Some(text) = handler.text_of("host").filter(|text| !text.is_empty() && !is_placeholder(text)) {
        let to_node = handler_reaches_pod(text, port_number(handler, container), pod);
        host(probe, kind, text, pod, to_node, all);
    }
    if kind == "httpGet" {
        if let Some(text) = handler.text_of("path").filter(|text| !is_placeholder(text)) {
            path(probe, text, all);
        }
        headers(probe, handler, all);
    }
}

/// Whether a host of the node leads to the pod after all: by the host network, or by a port of the node
/// that is mapped to the pod.
fn handler_reaches_pod(host: &str, port: Option<i64>, pod: &Pod<'_>) -> bool {
    let mut declared = pod.containers.iter().flat_map(Container::ports);
    is_node_itself(host) && (pod.host_network || declared.any(|one| one.on_host.is_some() && one.on_host == port))
}

fn is_node_itself(host: &str) -> bool {
    host == "localhost" || host.starts_with("127.") || host == "::1" || host == "0.0.0.0"
}

fn host(probe: &Probe<'_>, kind: &str, text: &str, pod: &Pod<'_>, reaches_pod: bool, all: &mut Vec<Finding>) {
    let (at, field) = (probe.place(&[kind, "host"]), probe.field(&format!("{kind}.host")));
    let has_port = text.matches(':').count() == 1;
    if has_port || text.contains(['/', '[', ']', ' ']) {
        let effect = if kind == "tcpSocket" { "every probe fails" } else { "the probe cannot run" };
        let why = format!("a host is a name or an address, without scheme, port and brackets: {effect}");
        let finding = Finding::new(Rule::HostInvalid, at, field, why).current(mask::path(text));
        return all.push(finding.suggest("remove it: without a host the pod is asked"));
    }
    if reaches_pod {
        return;
    }
    let why = if is_node_itself(text) && !pod.host_network {
        "the kubelet asks from the node, so this is the node itself, and not the pod".to_owned()
    } else if is_node_itself(text) {
        return;
    } else if pod.host_network && text.parse::<std::net::IpAddr>().is_ok() {
        // An address of the node is equivalent to the pod's.
        return;
    } else {
        "the kubelet connects there, from the node and with the node's DNS: the pod itself is never asked".to_owned()
    };
    let suggestion = match kind {
        "httpGet" => "remove it: without a host the pod is asked; for a virtual host write it into httpHeaders as Host",
        _ => "remove it: without a host the pod is asked",
    };
    all.push(Finding::new(Rule::HostElsewhere, at, field, why).current(mask::path(text)).suggest(suggestion));
}

fn path(probe: &Probe<'_>, text: &str, all: &mut Vec<Finding>) {
    let (at, field) = (probe.place(&["httpGet", "path"]), probe.field("httpGet.path"));
    if text.contains(['\n', '\r']) {
        let asked = text.replace('\n', "%0A").replace('\r', "%0D");
        let why = format!("it has a line break in it: what is asked for is {}", mask::path(&asked));
        let finding = Finding::new(Rule::LineBreak, at, field, why);
        return all.push(finding.suggest("write the path on one line, without | or >"));
    }
    let Some((scheme, rest)) = text.split_once(':').filter(|(scheme, _)| is_scheme(scheme)) else { return };
    if !rest.starts_with('/') {
        let why = "it is read as a URL without a host: every probe fails with \"no Host in request URL\"";
        let finding = Finding::new(Rule::PathIsUrl, at, field, why).severity(Severity::Error);
        return all.push(finding.current(mask::path(text)).suggest("the path alone, from its first slash on"));
    }
    let Some(rest) = rest.strip_prefix("//").filter(|_| ["http", "https"].contains(&scheme)) else { return };
    let path = rest.find('/').map_or("/", |slash| &rest[slash..]);
    let why = format!("scheme, host and port of it are dropped in silence: the pod is asked for {}", mask::path(path));
    let finding = Finding::new(Rule::PathIsUrl, at, field, why).current(mask::path(text));
    all.push(finding.suggest(format!("path: {}", mask::path(path))));
}

/// Whether it can be a URL scheme.
fn is_scheme(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
    text.starts_with(|first: char| first.is_ascii_alphabetic()) && text.bytes().all(inner)
}

fn headers(probe: &Probe<'_>, handler: &Node, all: &mut Vec<Finding>) {
    for header in handler.get("httpHeaders").map_or(&[][..], Node::items) {
        let Some(value) =
            header.entry("value").filter(|entry| entry.node.text().is_some_and(|value| value.contains(['\n', '\r'])))
        else {
            continue;
        };
        let name = header.text_of("name").unwrap_or("?");
        let why = format!("the value of {name:?} has a line break in it: no request can be sent, every probe fails");
        let finding = Finding::new(Rule::LineBreak, value.at, probe.field("httpGet.httpHeaders"), why);
        all.push(finding.suggest("write the value on one line, without | or >"));
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::{ids, of_pod_and_probe, of_probe};

    #[test]
    fn what_asks_the_pod_is_not_flagged() {
        for probe in [
            "readinessProbe: {httpGet: {port: 80, path: /a:b/c}}",
            "readinessProbe: {httpGet: {port: 80, path: health}}",
            "readinessProbe: {httpGet: {port: 80, path: \"/x?u=http://y\"}}",
            "readinessProbe: {httpGet: {port: 80, host: \"\"}}",
            "readinessProbe: {httpGet: {port: 80, host: $(HOST)}}",
            "readinessProbe: {httpGet: {port: 80, httpHeaders: [{name: Host, value: a.example}]}}",
        ] {
            assert_eq!(ids(&of_probe(probe)), Vec::<&str>::new(), "{probe}");
        }
    }

    #[test]
    fn what_asks_something_else_is() {
        for (probe, id) in [
            ("readinessProbe: {httpGet: {port: 80, host: 127.0.0.1}}", "host-elsewhere"),
            ("readinessProbe: {tcpSocket: {port: 80, host: db}}", "host-elsewhere"),
            ("readinessProbe: {httpGet: {port: 80, host: \"db:80\"}}", "host-invalid"),
            ("readinessProbe: {httpGet: {port: 80, host: http://db}}", "host-invalid"),
            ("readinessProbe: {httpGet: {port: 80, path: \"http://localhost:80/health\"}}", "path-is-url"),
            ("readinessProbe: {httpGet: {port: 80, path: \"localhost:80/health\"}}", "path-is-url"),
            ("readinessProbe: {httpGet: {port: 80, path: \"/health\\n\"}}", "line-break"),
            ("readinessProbe: {httpGet: {port: 80, httpHeaders: [{name: A, value: \"b\\n\"}]}}", "line-break"),
        ] {
            assert_eq!(ids(&of_probe(probe)), [id], "{probe}");
        }
    }

    #[test]
    fn a_loopback_of_the_node_is_the_pod_s_where_they_share_it() {
        let probe = "readinessProbe: {httpGet: {port: 80, host: 127.0.0.1}}";
        assert_eq!(ids(&of_pod_and_probe("hostNetwork: true", probe)), Vec::<&str>::new());
        let on_host = format!("ports: [{{containerPort: 8080, hostPort: 80}}], {probe}");
        assert_eq!(ids(&of_probe(&on_host)), Vec::<&str>::new());
    }

    #[test]
    fn a_dropped_host_is_told_with_what_is_asked() {
        let said = of_probe("readinessProbe: {httpGet: {port: 80, path: \"https://other:9/health\"}}");
        assert_eq!(said[0].suggestion.as_deref(), Some("path: /health"));
    }
}
