//! How receivers are connected to, and where their secrets come from.

use super::Key;
use super::values::{path, proxy, variable};
use crate::config::check::Checker;
use crate::config::notifications::raw;
use crate::config::written::Text;
use crate::delivery::network::{Identity, Network};
use crate::delivery::proxy::ProxySource;
use crate::delivery::secret::SecretSource;

/// Certificates and proxy.
pub(super) fn network(key: &Key, raw: raw::Network, checker: &mut Checker) -> Network {
    Network {
        ca_file: checker.read(&key.of("caFile"), raw.ca_file, path),
        identity: identity(key, raw, checker),
        proxy: proxy_source(key, raw, checker),
    }
}

fn identity(key: &Key, raw: raw::Network, checker: &mut Checker) -> Option<Identity> {
    let certificate_file = checker.read(&key.of("clientCertificateFile"), raw.client_certificate_file, path);
    let key_file = checker.read(&key.of("clientKeyFile"), raw.client_key_file, path);
    match (raw.client_certificate_file, raw.client_key_file) {
        (Some(one), None) | (None, Some(one)) => {
            const HINT: &str = "write clientCertificateFile and clientKeyFile: they belong together";
            checker.refuse(one.referenced, &key.path, "its client certificate is incomplete", HINT);
            None
        }
        _ => Some(Identity { certificate_file: certificate_file?, key_file: key_file? }),
    }
}

fn proxy_source(key: &Key, raw: raw::Network, checker: &mut Checker) -> ProxySource {
    let secret = source(key, "proxyUrl", raw.proxy_url_file, raw.proxy_url_env, checker).map(ProxySource::Secret);
    if let Some(written) = raw.proxy_url.filter(|_| raw.proxy_url_file.or(raw.proxy_url_env).is_some()) {
        let what = "both proxyUrl and proxyUrlFile or proxyUrlEnv";
        checker.refuse(written.referenced, &key.path, what, "write one of them");
    }
    checker.read(&key.of("proxyUrl"), raw.proxy_url, proxy).or(secret).unwrap_or_default()
}

/// `NAMEFile` or `NAMEEnv`.
pub(super) fn source(
    key: &Key,
    name: &str,
    file: Option<&Text>,
    env: Option<&Text>,
    checker: &mut Checker,
) -> Option<SecretSource> {
    if let (Some(file), Some(_)) = (file, env) {
        let what = format!("both {name}File and {name}Env");
        checker.refuse(file.referenced, &key.path, what, "write one of them");
        return None;
    }
    let file = checker.read(&key.of(&format!("{name}File")), file, path).map(SecretSource::File);
    file.or_else(|| checker.read(&key.of(&format!("{name}Env")), env, variable).map(SecretSource::Variable))
}
