//! Servers with the certificate of the tests, for 127.0.0.1 and localhost.

use std::io::{BufReader, Read, Write};
use std::net::{Shutdown, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};

use crate::support::http::request_body;

/// Whether a server wants to see a client's certificate.
#[derive(Copy, Clone, PartialEq, Eq)]
pub enum Clients {
    /// Anybody may connect.
    Anybody,
    /// Those with a certificate of `client-ca.pem`.
    Certified,
}

/// A server on a thread of its own; answers `ok` until the end.
pub fn serve(clients: Clients) -> u16 {
    let config = config(clients);
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
    let port = listener.local_addr().expect("it listens").port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let connection = rustls::ServerConnection::new(Arc::clone(&config)).expect("a configuration");
            // A client that does not trust it, or is not trusted, disconnects.
            let _ = answer(rustls::StreamOwned::new(connection, &stream));
            // What was not read would break the connection before the alert is.
            let _ = stream.shutdown(Shutdown::Write);
            let _ = std::io::copy(&mut &stream, &mut std::io::sink());
        }
    });
    port
}

/// Its configuration.
pub fn config(clients: Clients) -> Arc<ServerConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .expect("there are some");
    let builder = match clients {
        Clients::Anybody => builder.with_no_client_auth(),
        Clients::Certified => {
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(certificates("client-ca.pem"));
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
            builder.with_client_cert_verifier(verifier.expect("a CA"))
        }
    };
    let key = PrivateKeyDer::from_pem_file(file("server.key")).expect("a key");
    Arc::new(builder.with_single_cert(certificates("server.pem"), key).expect("they belong together"))
}

/// A file of the tests' certificates and keys.
pub fn file(name: &str) -> PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/delivery/tls").join(name)
}

fn certificates(name: &str) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_file_iter(file(name)).expect("a file").flatten().collect()
}

fn answer(stream: impl Read + Write) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    request_body(&mut reader)?;
    let stream = reader.get_mut();
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")?;
    stream.flush()
}

/// TLS in front of a server on loopback; returns the port.
pub async fn in_front_of(port: u16) -> u16 {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("loopback has free ports");
    let own = listener.local_addr().expect("it listens").port();
    let acceptor = tokio_rustls::TlsAcceptor::from(config(Clients::Anybody));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                // A client that does not trust it disconnects.
                let mut secured = acceptor.accept(stream).await?;
                let mut server = tokio::net::TcpStream::connect(("127.0.0.1", port)).await?;
                tokio::io::copy_bidirectional(&mut secured, &mut server).await
            });
        }
    });
    own
}
