//! Which servers are reached without the proxy from the environment.

use std::net::IpAddr;

use kube::Config;

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
    let host = config.cluster_url.host().unwrap_or_default();
    config.proxy_url == of_environment && (is_here(host) || is_named(host, &none))
}

fn address(host: &str) -> Option<IpAddr> {
    host.trim_matches(['[', ']']).parse().ok()
}

fn is_here(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || address(host).is_some_and(|address| address.is_loopback())
}

/// Whether a list like `NO_PROXY` includes the host: `*`, names with their subdomains, addresses, ranges of
/// addresses.
fn is_named(host: &str, list: &str) -> bool {
    list.split(',').map(str::trim).filter(|entry| !entry.is_empty()).any(|entry| {
        let domain = entry.trim_start_matches('.');
        let is_within = || {
            let (rest, domain) = (host.to_ascii_lowercase(), domain.to_ascii_lowercase());
            rest.strip_suffix(&domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        };
        entry == "*" || address(host).map_or_else(is_within, |address| covers(entry, address))
    })
}

/// Whether an address or a range (`10.0.0.0/8`) includes an address.
fn covers(entry: &str, wanted: IpAddr) -> bool {
    let (start, bits) = entry.split_once('/').map_or((entry, None), |(start, bits)| (start, bits.parse::<u32>().ok()));
    let Some(start) = address(start).filter(|start| start.is_ipv4() == wanted.is_ipv4()) else {
        return false;
    };
    let (width, start, wanted) = match (start, wanted) {
        (IpAddr::V4(start), IpAddr::V4(wanted)) => (32, start.to_bits().into(), wanted.to_bits().into()),
        (IpAddr::V6(start), IpAddr::V6(wanted)) => (128, start.to_bits(), wanted.to_bits()),
        _ => return false,
    };
    let host_bits = width - bits.unwrap_or(width).min(width);
    (start ^ wanted).checked_shr(host_bits).unwrap_or(0) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_proxy_names_is_reached_directly() {
        for (host, list, wanted) in [
            ("api.example.com", "example.com", true),
            ("api.example.com", ".example.com", true),
            ("API.example.com", "api.EXAMPLE.com", true),
            ("notexample.com", "example.com", false),
            ("10.1.2.3", "10.0.0.0/8", true),
            ("11.1.2.3", "10.0.0.0/8", false),
            ("10.1.2.3", "10.1.2.3", true),
            ("10.1.2.3", "other, 10.1.2.0/24", true),
            ("10.1.2.3", "0.0.0.0/0", true),
            ("[fd00::1]", "fd00::/8", true),
            ("[fe80::1]", "fd00::/8", false),
            ("anything", "*", true),
            ("anything", "", false),
            ("10.1.2.3", "10.0.0.0/x", false),
        ] {
            assert_eq!(is_named(host, list), wanted, "{host} in {list:?}");
        }
    }

    #[test]
    fn this_machine_is_never_behind_a_proxy() {
        assert!(is_here("127.0.0.1") && is_here("[::1]") && is_here("LocalHost"));
        assert!(!is_here("10.0.0.1") && !is_here("localhost.example.com"));
    }
}
