//! Which servers are reached without the proxy from the environment.

use kube::Config;

use crate::text::no_proxy::is_direct;

/// Whether the proxy from the environment does not apply to this server: it is on this machine, or in
/// `NO_PROXY`.
///
/// kube compares `NO_PROXY` with the proxy's own address. A `proxy-url` of the kubeconfig is always
/// used, as by kubectl.
pub fn is_bypassed(config: &Config) -> bool {
    let named = |key: &str| std::env::var(key).ok().filter(|value| !value.is_empty());
    let of_environment = named("HTTPS_PROXY").or_else(|| named("https_proxy"));
    let of_environment = of_environment.and_then(|text| text.parse::<http::Uri>().ok());
    let none = named("NO_PROXY").or_else(|| named("no_proxy")).unwrap_or_default();
    config.proxy_url == of_environment && is_direct(&config.cluster_url, &none)
}
