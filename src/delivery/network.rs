//! How a receiver is connected to: certificates and proxy, from the settings.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, ConfigBuilder, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt;

use super::failure::Failure;
use super::proxy::{Proxy, ProxySource};
use super::secret::{Secret, SecretError};

/// Maximum size of a file of certificates or of a key.
const LONGEST: u64 = 1 << 20;

/// How a receiver is connected to.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Network {
    /// The certificates to trust instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// The certificate that probehound shows.
    pub identity: Option<Identity>,
    /// The proxy.
    pub proxy: ProxySource,
}

/// A client certificate, and its key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Identity {
    /// The file of the certificate, with those between it and the CA.
    pub certificate_file: PathBuf,
    /// The file of its private key.
    pub key_file: PathBuf,
}

/// Why no connection can be made at all.
#[derive(thiserror::Error, Debug)]
pub enum NetworkError {
    /// The file holds no certificate.
    #[error("cannot read certificates from {}: {what}", file.display())]
    Certificates {
        /// Its path.
        file: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// The file holds no private key, or that of another certificate.
    #[error("cannot read the private key from {}: {what}", file.display())]
    Key {
        /// Its path.
        file: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// The system's certificates cannot be used.
    #[error("the system's certificates cannot be used: {0}")]
    System(rustls::Error),
    /// The proxy's address is missing.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The proxy's address is none.
    #[error("{0}")]
    Proxy(Failure),
}

/// The content of the files and variables that a [`Network`] names: read before each use.
#[derive(Clone, PartialEq, Eq)]
pub struct Material {
    authorities: Option<(PathBuf, Vec<u8>)>,
    identity: Option<(Identity, Vec<u8>, Vec<u8>)>,
    proxy: Way,
}

/// Which proxy applies.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Way {
    /// That of the environment, if it names one for the address.
    Environment,
    /// None.
    Direct,
    /// This one.
    Proxy(Proxy),
}

impl Network {
    /// Reads what the files and variables contain.
    ///
    /// # Errors
    /// One of them cannot be read, or the proxy's address is none.
    pub fn read(&self) -> Result<Material, NetworkError> {
        let certificates =
            |file: &Path| read(file).map_err(|what| NetworkError::Certificates { file: file.to_owned(), what });
        let authorities =
            self.ca_file.as_deref().map(|file| Ok::<_, NetworkError>((file.to_owned(), certificates(file)?)));
        let identity = self.identity.as_ref().map(|identity| {
            let failed = |what| NetworkError::Key { file: identity.key_file.clone(), what };
            let key = read(&identity.key_file).map_err(failed)?;
            Ok::<_, NetworkError>((identity.clone(), certificates(&identity.certificate_file)?, key))
        });
        let at = |address: &Secret| Proxy::parse(address).map(Way::Proxy).map_err(NetworkError::Proxy);
        let proxy = match &self.proxy {
            ProxySource::Environment => Way::Environment,
            ProxySource::Nowhere => Way::Direct,
            ProxySource::Written(address) => at(address)?,
            ProxySource::Secret(source) => at(&source.read()?)?,
        };
        Ok(Material { authorities: authorities.transpose()?, identity: identity.transpose()?, proxy })
    }
}

impl Material {
    /// The way to go.
    pub(super) const fn way(&self) -> &Way {
        &self.proxy
    }

    /// The settings of TLS.
    ///
    /// # Errors
    /// The certificates or the key are invalid, or do not belong together.
    pub fn tls(&self) -> Result<ClientConfig, NetworkError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(NetworkError::System)?;
        let builder = match &self.authorities {
            None => builder.with_platform_verifier().map_err(NetworkError::System)?,
            Some((file, pem)) => builder.with_root_certificates(roots(file, pem)?),
        };
        self.with_identity(builder)
    }

    fn with_identity(
        &self,
        builder: ConfigBuilder<ClientConfig, rustls::client::WantsClientCert>,
    ) -> Result<ClientConfig, NetworkError> {
        let Some((Identity { certificate_file, key_file }, chain, key)) = &self.identity else {
            return Ok(builder.with_no_client_auth());
        };
        let failed = |what: String| NetworkError::Key { file: key_file.clone(), what };
        // The library's own words may repeat what stands in the file.
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| failed("there is none in it".to_owned()))?;
        let chain = certificates(certificate_file, chain)?;
        let mismatch = |_| failed("it is not that of the certificate, or of a kind that cannot be used".to_owned());
        builder.with_client_auth_cert(chain, key).map_err(mismatch)
    }
}

fn roots(file: &Path, pem: &[u8]) -> Result<RootCertStore, NetworkError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(file, pem)? {
        let failed =
            |error: rustls::Error| NetworkError::Certificates { file: file.to_owned(), what: error.to_string() };
        roots.add(certificate).map_err(failed)?;
    }
    Ok(roots)
}

/// At least one certificate.
fn certificates(file: &Path, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, NetworkError> {
    let failed = |what: String| NetworkError::Certificates { file: file.to_owned(), what };
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match all {
        Ok(all) if all.is_empty() => Err(failed("there are none in it".to_owned())),
        Ok(all) => Ok(all),
        Err(error) => Err(failed(error.to_string())),
    }
}

fn read(file: &Path) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let read = File::open(file).and_then(|file| file.take(LONGEST + 1).read_to_end(&mut bytes));
    read.map_err(|error| error.kind().to_string())?;
    if bytes.len() as u64 > LONGEST { Err("it is larger than 1 MiB".to_owned()) } else { Ok(bytes) }
}
