//! Compares a manifest with what is running: what has passed there, and what the manifest changes.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::object::Object;
use super::pod::Probe;
use super::{Finding, Rule};
use crate::engine::{ContainerSpec, Fault, Finding as Looping, PodTemplate, Tried};
use crate::kubelet::{Handler, Port, ProbeKind};
use crate::report::headline::what_is_wrong;
use crate::source::manifest::{Node, Value, template};

/// What is or was running.
#[derive(Debug, Default)]
pub struct Running {
    /// Which probes have passed.
    pub tried: Vec<Tried>,
    /// The current findings.
    pub findings: Vec<Arc<Looping>>,
    /// The namespace of objects that have none.
    pub namespace: Option<String>,
}

impl Running {
    /// What is known of an object; `None` if it is not running there.
    pub fn compare(&self, object: &Object<'_>) -> Option<Vec<Finding>> {
        let tried = self.of(object);
        let first = tried.first()?;
        let own = template(object.template)?;
        let mut all = Vec::new();
        for container in &object.pod.containers {
            let Some(spec) = own.containers.iter().find(|spec| *spec.name == *container.name) else { continue };
            let known = tried.iter().filter_map(|tried| Shown::new(tried, container.name)).collect();
            let scene = Scene { spec, known };
            let begin = all.len();
            all.extend(container.probes().filter_map(|probe| scene.probe(probe)));
            all.extend(self.looping(first, container.name, container.node));
            all[begin..].iter_mut().for_each(|finding| finding.container = Some(container.name.to_owned()));
        }
        Some(all)
    }

    /// The templates of the object of that kind and name; none if there are several in namespaces that the
    /// manifest does not distinguish.
    fn of(&self, object: &Object<'_>) -> Vec<&Tried> {
        let identity = &object.identity;
        let namespace = identity.namespace.as_deref().or(self.namespace.as_deref());
        let is_it = |tried: &&Tried| {
            *tried.workload.kind == *identity.kind
                && *tried.workload.name == *identity.name
                && namespace.is_none_or(|namespace| *tried.namespace == *namespace)
        };
        let all: Vec<&Tried> = self.tried.iter().filter(is_it).collect();
        let in_one = all.windows(2).all(|pair| pair[0].namespace == pair[1].namespace);
        if in_one { all } else { Vec::new() }
    }

    /// The loops there now, caused by a field that the manifest leaves unchanged.
    fn looping(&self, of: &Tried, container: &str, node: &Node) -> Vec<Finding> {
        let workload = format!("{}/{}", of.workload.kind, of.workload.name);
        let is_it = |finding: &&Arc<Looping>| {
            finding.namespace == of.namespace && *finding.workload == *workload && *finding.container == *container
        };
        let probe = self.findings.iter().filter(is_it).filter(|finding| finding.fault == Some(Fault::Probe));
        probe.filter_map(|finding| still(finding, node)).collect()
    }
}

fn still(looping: &Looping, node: &Node) -> Option<Finding> {
    let field = &*looping.field.as_ref()?.to_string();
    let (mut at, mut value) = (node.at, Some(node));
    for key in field.split('.') {
        let entry = value.and_then(|node| node.entry(key));
        at = entry.map_or(at, |entry| entry.at);
        value = entry.map(|entry| &entry.node);
    }
    let written = value.and_then(|node| match &node.value {
        Value::Text(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    });
    let current = looping.current.as_ref().map(ToString::to_string);
    if written != current {
        return None;
    }
    let why = format!(
        "{} of {} pods are out now because {}, and the manifest leaves it as it is",
        looping.pods.affected,
        looping.pods.total,
        what_is_wrong(looping)
    );
    let finding = Finding::new(Rule::LoopsNow, at, field, why);
    let finding = current.into_iter().fold(finding, Finding::current);
    Some(match &looping.suggested {
        Some(value) => finding.suggest(format!("{value}, which was seen to work")),
        None => finding,
    })
}

/// A container under one template.
struct Shown<'a> {
    spec: &'a ContainerSpec,
    tried: &'a Tried,
    at: usize,
}

impl<'a> Shown<'a> {
    fn new(tried: &'a Tried, name: &str) -> Option<Self> {
        let template: &PodTemplate = &tried.template;
        let at = template.containers.iter().position(|spec| *spec.name == *name)?;
        Some(Self { spec: &template.containers[at], tried, at })
    }

    fn now(&self, kind: ProbeKind) -> u32 {
        self.tried.containers[self.at].now[kind as usize]
    }

    fn ever(&self, kind: ProbeKind) -> bool {
        self.tried.containers[self.at].ever[kind as usize]
    }

    /// Whether it is the same app. Variables added by the API server do not count.
    fn is_app_of(&self, other: &ContainerSpec) -> bool {
        let spec = self.spec;
        spec.image == other.image && spec.invocation_mark == other.invocation_mark && spec.ports == other.ports
    }
}

/// A container in the manifest, and in the cluster.
struct Scene<'a> {
    spec: &'a ContainerSpec,
    known: Vec<Shown<'a>>,
}

impl Scene<'_> {
    fn probe(&self, probe: &Probe<'_>) -> Option<Finding> {
        let kind = probe.kind;
        let asked = question(self.spec, kind)?;
        let of_app = |shown: &Shown<'_>| shown.is_app_of(self.spec);
        let passed = |shown: &Shown<'_>| {
            let mut kinds = ProbeKind::ALL.into_iter().filter(|kind| shown.ever(*kind) || shown.now(*kind) > 0);
            kinds.any(|kind| question(shown.spec, kind).as_ref() == Some(&asked))
        };
        if self.known.iter().filter(|shown| of_app(shown)).any(passed) {
            return None;
        }
        let (before, pods) = self.passing(kind, of_app).or_else(|| self.passing(kind, |_| true))?;
        if before == asked {
            return None;
        }
        let runs = self.known.iter().any(|shown| of_app(shown) && shown.tried.pods > 0);
        let change = Difference::between(&asked, &before);
        let image = &self.spec.image;
        let now = format!("{} passes in {pods} {} now", change.before, if pods == 1 { "pod" } else { "pods" });
        let (rule, why) = if runs {
            (Rule::NeverPassed, format!("{} was never seen to pass with image {image}; {now}", change.asked))
        } else {
            (Rule::NewImage, format!("what image {image}, so started, answers to {} is not known; {now}", change.asked))
        };
        let path: Vec<&str> = change.field.split('.').collect();
        let finding = Finding::new(rule, probe.place(&path), probe.field(change.field), why).current(&change.asked);
        let suggestion = format!("{}, or see that it passes in one pod first", change.before);
        Some(if runs { finding.suggest(suggestion) } else { finding })
    }

    /// The request of that probe in most of the pods in which that passes now, to it or to another probe.
    fn passing(&self, kind: ProbeKind, fits: impl Fn(&Shown<'_>) -> bool) -> Option<(Handler, u32)> {
        let mut by_question: BTreeMap<String, (Handler, u32)> = BTreeMap::new();
        for shown in self.known.iter().filter(|shown| fits(shown)) {
            let Some(handler) = question(shown.spec, kind) else { continue };
            // Another probe that asks the same shows it sooner: a liveness probe is only seen to fail.
            let same = ProbeKind::ALL.into_iter().filter(|kind| question(shown.spec, *kind).as_ref() == Some(&handler));
            let pods = same.map(|kind| shown.now(kind)).max().unwrap_or_default();
            if pods > 0 {
                by_question.entry(format!("{handler:?}")).or_insert((handler, 0)).1 += pods;
            }
        }
        by_question.into_values().max_by_key(|(_, pods)| *pods)
    }
}

/// The request of a probe, with its port by number if the container names it.
fn question(spec: &ContainerSpec, kind: ProbeKind) -> Option<Handler> {
    let mut handler = spec.probe(kind)?.handler.clone();
    let number = |port: &mut Port| {
        let Port::Name(name) = &*port else { return };
        let known = spec.ports.iter().find(|(known, _)| known.as_ref() == Some(name));
        if let Some((_, number)) = known {
            *port = Port::Number(*number);
        }
    };
    match &mut handler {
        Handler::Http(get) => number(&mut get.port),
        Handler::Tcp { port, .. } | Handler::Grpc { port, .. } => number(port),
        Handler::Exec(_) => {}
    }
    Some(handler)
}

/// The differences between two requests.
struct Difference {
    field: &'static str,
    asked: String,
    before: String,
}

impl Difference {
    fn between(asked: &Handler, before: &Handler) -> Self {
        let of = |field, asked: String, before: String| Self { field, asked, before };
        match (asked, before) {
            (Handler::Http(one), Handler::Http(other)) => {
                if one.path != other.path {
                    of("httpGet.path", one.path.to_string(), other.path.to_string())
                } else if one.port != other.port {
                    of("httpGet.port", format!("port {}", one.port), format!("port {}", other.port))
                } else if one.scheme != other.scheme {
                    of("httpGet.scheme", one.scheme.word().to_owned(), other.scheme.word().to_owned())
                } else if one.host != other.host {
                    let host = |host: &Option<Arc<str>>| {
                        host.as_deref().map_or("the pod".to_owned(), |it| format!("host {it}"))
                    };
                    of("httpGet.host", host(&one.host), host(&other.host))
                } else {
                    of("httpGet.httpHeaders", "it with these headers".to_owned(), "it with those there".to_owned())
                }
            }
            (Handler::Exec(one), Handler::Exec(other)) => of("exec.command", one.join(" "), other.join(" ")),
            (Handler::Grpc { port: one, .. }, Handler::Grpc { port: other, .. }) if one == other => {
                of("grpc.service", brief(asked), brief(before))
            }
            _ => of(asked.field(), brief(asked), brief(before)),
        }
    }
}

/// `httpGet port 8080 /health`
fn brief(handler: &Handler) -> String {
    match handler {
        Handler::Http(get) => format!("httpGet port {} {}", get.port, get.path),
        Handler::Tcp { port, .. } => format!("tcpSocket port {port}"),
        Handler::Grpc { port, service } if service.is_empty() => format!("grpc port {port}"),
        Handler::Grpc { port, service } => format!("grpc port {port} service {service}"),
        Handler::Exec(words) => format!("exec {}", words.join(" ")),
    }
}
