//! Export of traces.

use std::sync::Arc;

use proto::v1;
use support::certificates::{Authority, NAME, write};
use support::process::{ServerProcess, StartOptions};
use support::temp_folder::TempFolder;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::conformance::fixture::IN_TIME;

/// Beginning of a connection of HTTP/2.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

#[tokio::test]
async fn a_collector_behind_tls_is_verified_and_connected_to() {
    let (authority, folder) = (Authority::new(), TempFolder::new());
    let roots = write(folder.path(), "roots.pem", &authority.pem());
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let server = ServerProcess::start(&StartOptions {
        data_dir: folder.join("data"),
        variables: vec![
            ("SSL_CERT_FILE", roots.display().to_string()),
            (
                "POSTROOM_TRACES__OTLP_ENDPOINT",
                format!("https://{NAME}:{port}"),
            ),
        ],
        ..StartOptions::default()
    });
    let mut alice = server.messaging(&server.tokens.alice);
    let counts = alice.get_message_counts(v1::GetMessageCountsRequest {});
    counts.await.expect("counts");

    let collector = collector(&authority);
    let connected = async {
        let (stream, _) = listener.accept().await.expect("a connection");
        let mut stream = collector.accept(stream).await.expect("a handshake");
        let mut begin = [0; PREFACE.len()];
        stream.read_exact(&mut begin).await.expect("a preface");
        begin
    };
    let begin = timeout(IN_TIME, connected).await.expect("a connection");
    assert_eq!(begin, PREFACE);
    server.kill();
}

fn collector(authority: &Authority) -> TlsAcceptor {
    let certified = authority.certify();
    let chain = CertificateDer::pem_slice_iter(certified.certificate.as_bytes());
    let chain = chain.collect::<Result<_, _>>().expect("a certificate");
    let key = PrivateKeyDer::from_pem_slice(certified.key.as_bytes()).expect("a key");
    let provider = Arc::new(aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .expect("a certificate with its key");
    config.alpn_protocols = vec![b"h2".to_vec()];
    TlsAcceptor::from(Arc::new(config))
}
