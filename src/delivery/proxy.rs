//! Which proxy a receiver is reached through.

use http::{HeaderValue, Uri};
use hyper_util::client::proxy::matcher::Matcher;

use super::failure::Failure;
use super::secret::{Secret, SecretSource};
use crate::text::no_proxy::is_direct;

/// Where a receiver's proxy comes from.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum ProxySource {
    /// The environment: `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`.
    #[default]
    Environment,
    /// There is none: the receiver is connected to directly.
    Nowhere,
    /// An address without a password, from the settings.
    Written(Secret),
    /// An address that may contain a password.
    Secret(SecretSource),
}

/// A proxy.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Proxy {
    /// `http://HOST:PORT/` or `https://HOST:PORT/`
    pub uri: Uri,
    /// `Basic …`, marked as sensitive.
    pub credentials: Option<HeaderValue>,
}

/// What the environment says about proxies.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    /// `HTTP_PROXY`: for addresses that begin with `http://`.
    pub http: Option<Secret>,
    /// `HTTPS_PROXY`: for addresses that begin with `https://`.
    pub https: Option<Secret>,
    /// `NO_PROXY`
    pub no: String,
}

impl Proxy {
    /// The proxy at an address such as `http://user:password@proxy:3128`; without a scheme it is HTTP.
    ///
    /// # Errors
    /// It is no such address.
    pub fn parse(address: &Secret) -> Result<Self, Failure> {
        const ANY: &str = "http://host/";
        let matcher = Matcher::builder().all(address.reveal()).build();
        let found = matcher.intercept(&Uri::from_static(ANY)).ok_or(Failure::ProxyAddress)?;
        let uri = found.uri().clone();
        let is_http =
            matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some_and(|host| !host.is_empty());
        if !is_http {
            return Err(Failure::ProxyAddress);
        }
        let credentials = found.basic_auth().cloned().map(|mut header| {
            header.set_sensitive(true);
            header
        });
        Ok(Self { uri, credentials })
    }
}

impl Environment {
    /// That of this process. A name in capitals counts before one in small letters.
    pub fn current() -> Self {
        Self::from_variables(|name| std::env::var(name).ok())
    }

    /// What these variables say.
    pub fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Self {
        let named = |name: &str| {
            let set = variable(name).or_else(|| variable(&name.to_ascii_lowercase()));
            set.map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
        };
        let address = |name: &str| named(name).map(|value| Secret::new(&value));
        Self { http: address("HTTP_PROXY"), https: address("HTTPS_PROXY"), no: named("NO_PROXY").unwrap_or_default() }
    }

    /// The proxy for an address, if there is one. This machine is never behind one.
    ///
    /// # Errors
    /// The variable holds no address: to go without the proxy would not be what was meant.
    pub fn proxy(&self, uri: &Uri) -> Result<Option<Proxy>, Failure> {
        let address = if uri.scheme_str() == Some("https") { &self.https } else { &self.http };
        match address {
            Some(address) if !is_direct(uri, &self.no) => Proxy::parse(address).map(Some),
            _ => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_have_a_user_and_a_password_and_no_scheme() {
        let of = |text: &str| Proxy::parse(&Secret::new(text)).expect("an address");
        let basic = of("http://me:p%40ss@proxy.example:3128");
        assert_eq!(basic.uri, "http://proxy.example:3128/");
        let credentials = basic.credentials.clone().expect("there are some");
        assert_eq!(credentials, "Basic bWU6cEBzcw==");
        assert!(!format!("{basic:?}").contains("bWU6"), "{basic:?}");
        assert_eq!(of("proxy.example:3128").uri, "http://proxy.example:3128/");
        assert_eq!(of("https://proxy.example/").uri, "https://proxy.example/");
    }

    #[test]
    fn what_is_no_address_of_a_proxy_is_refused() {
        for text in ["socks5://proxy:1080", "ftp://proxy", "http://", "a b", "/proxy", "http:///x"] {
            assert_eq!(Proxy::parse(&Secret::new(text)), Err(Failure::ProxyAddress), "{text}");
        }
    }

    #[test]
    fn the_environment_names_a_proxy_for_each_scheme_and_hosts_without_one() {
        let environment = Environment::from_variables(|name| {
            let value = match name {
                "HTTP_PROXY" => "http://plain:3128",
                "https_proxy" => "http://tunnel:3128",
                "NO_PROXY" => ".svc,10.0.0.0/8",
                _ => return None,
            };
            Some(value.to_owned())
        });
        let of = |uri: &str| {
            let proxy = environment.proxy(&uri.parse().expect("an address")).expect("valid");
            proxy.map(|proxy| proxy.uri.host().unwrap_or_default().to_owned())
        };
        assert_eq!(of("https://hooks.slack.com/x").as_deref(), Some("tunnel"));
        assert_eq!(of("http://ops.example/x").as_deref(), Some("plain"));
        for direct in
            ["http://alertmanager.monitoring.svc:9093", "https://10.1.2.3/", "http://127.0.0.1:1", "http://localhost"]
        {
            assert_eq!(of(direct), None, "{direct}");
        }
    }

    #[test]
    fn capitals_count_first_and_what_is_empty_is_not_there() {
        let of = |upper: &str, lower: &str| {
            let environment = Environment::from_variables(|name| match name {
                "HTTPS_PROXY" => Some(upper.to_owned()),
                "https_proxy" => Some(lower.to_owned()),
                _ => None,
            });
            environment.https.map(|secret| secret.reveal().to_owned())
        };
        assert_eq!(of("http://a", "http://b").as_deref(), Some("http://a"));
        assert_eq!(of(" ", "http://b"), None);
    }

    #[test]
    fn a_broken_variable_does_not_mean_that_there_is_no_proxy() {
        let environment = Environment { https: Some(Secret::new("socks5://a")), ..Environment::default() };
        assert_eq!(environment.proxy(&Uri::from_static("https://b/")), Err(Failure::ProxyAddress));
    }
}
