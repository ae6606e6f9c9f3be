//! TLS of the listeners: certificates of servers and clients, and ALPN.

use std::sync::Arc;

use proto::v1;
use proto::v1::messaging_client::MessagingClient;
use storage::Clock as _;
use storage_sql::SystemClock;
use support::certificates::{Authority, NAME, write};
use support::http;
use support::issuer::{ALL_SCOPES, APP, TestIssuer};
use support::process::{DevTokens, ServerProcess};
use support::service::Bearer;
use support::temp_folder::TempFolder;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use tonic::transport::{ClientTlsConfig, Endpoint};

/// The protocol that gRPC needs.
const HTTP_2: &str = "h2";

/// A service whose users come by TLS.
struct Secured {
    server: ServerProcess,
    authority: Authority,
    folder: TempFolder,
}

impl Secured {
    /// Starts a service. With `clients`, it accepts only clients certified by that authority.
    fn start(clients: Option<&Authority>) -> Self {
        let (folder, authority, issuer) =
            (TempFolder::new(), Authority::new(), TestIssuer::shared());
        let own = authority.certify();
        let write = |name, text: &str| write(folder.path(), name, text);
        let mut config = vec![
            TestIssuer::section(&write("jwks.json", &issuer.jwks())),
            "[database]".to_owned(),
            format!("url = 'sqlite:{}'", folder.join("postroom.db").display()),
            "[user.tls]".to_owned(),
        ];
        let files = [
            ("certificate", Some(own.certificate)),
            ("key", Some(own.key)),
            ("client_ca", clients.map(Authority::pem)),
        ];
        for (key, pem) in files {
            let path = pem.map(|pem| write(key, &pem));
            config.extend(path.map(|path| format!("{key} = '{}'", path.display())));
        }
        let now_s = SystemClock.now().expect("a time").ms.0 / 1000;
        let tokens = DevTokens {
            alice: issuer.user(APP, "alice", now_s),
            bob: issuer.user(APP, "bob", now_s),
            sys: issuer.sys(APP, ALL_SCOPES, now_s),
        };
        let server = ServerProcess::start_from(&write("postroom.toml", &config.join("\n")), tokens);
        Self {
            server,
            authority,
            folder,
        }
    }

    /// Replaces a file of the service.
    fn write(&self, name: &str, text: &str) {
        let _ = write(self.folder.path(), name, text);
    }

    /// TLS configuration of a client that trusts the service.
    fn trusting(&self) -> ClientTlsConfig {
        ClientTlsConfig::new()
            .domain_name(NAME)
            .ca_certificate(self.authority.trusted())
    }

    /// True if a call with this configuration succeeds.
    async fn is_heard(&self, tls: ClientTlsConfig) -> bool {
        let endpoint = Endpoint::from_shared(format!("https://{}", self.server.user));
        let endpoint = endpoint.expect("an address").tls_config(tls);
        let Ok(channel) = endpoint.expect("a configuration").connect().await else {
            return false;
        };
        let bearer = Bearer::new(&self.server.tokens.alice);
        let mut alice = MessagingClient::with_interceptor(channel, bearer);
        let counts = alice.get_message_counts(v1::GetMessageCountsRequest {});
        counts.await.is_ok()
    }

    /// Protocol that the service agrees on with a client that offers one.
    async fn agreed(&self, protocol: &str) -> std::io::Result<Option<Vec<u8>>> {
        let mut roots = RootCertStore::empty();
        let root = CertificateDer::from_pem_slice(self.authority.pem().as_bytes());
        roots.add(root.expect("PEM")).expect("a certificate");
        let provider = Arc::new(aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions of TLS");
        let mut config = config.with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
        let stream = TcpStream::connect(self.server.user).await?;
        let name = ServerName::try_from(NAME).expect("a name");
        let connected = TlsConnector::from(Arc::new(config)).connect(name, stream);
        let connected = connected.await?;
        let (_, session) = connected.get_ref();
        Ok(session.alpn_protocol().map(<[u8]>::to_vec))
    }
}

#[tokio::test]
async fn a_client_must_trust_the_certificate() {
    let service = Secured::start(None);
    assert!(service.is_heard(service.trusting()).await);

    let stranger = Authority::new();
    let mistaken = ClientTlsConfig::new().domain_name(NAME);
    let mistaken = mistaken.ca_certificate(stranger.trusted());
    assert!(!service.is_heard(mistaken).await);
    let elsewhere = service.trusting().domain_name("example.com");
    assert!(!service.is_heard(elsewhere).await);

    let mut plaintext = service.server.messaging(&service.server.tokens.alice);
    let counts = plaintext.get_message_counts(v1::GetMessageCountsRequest {});
    counts.await.expect_err("a refusal");
}

#[tokio::test]
async fn alpn_agrees_on_http_2_only() {
    let service = Secured::start(None);
    let agreed = service.agreed(HTTP_2).await.expect("an agreement");
    assert_eq!(agreed.as_deref(), Some(HTTP_2.as_bytes()));
    let refused = service.agreed("http/1.1").await;
    assert!(refused.is_err(), "{refused:?}");
}

#[tokio::test]
async fn a_listener_with_client_certificates_refuses_clients_without_one() {
    let clients = Authority::new();
    let service = Secured::start(Some(&clients));
    let showing =
        |authority: &Authority| service.trusting().identity(authority.certify().identity());
    assert!(service.is_heard(showing(&clients)).await);
    assert!(!service.is_heard(showing(&Authority::new())).await);
    assert!(!service.is_heard(service.trusting()).await);
}

#[tokio::test]
async fn a_renewed_certificate_is_served_without_a_restart() {
    let mut service = Secured::start(None);
    let first = service.trusting();
    let (next, remaining) = (
        Authority::new(),
        "postroom_tls_certificate_remaining_seconds",
    );
    assert!(
        http::get(service.server.operations, "/metrics")
            .1
            .contains(remaining)
    );

    service.write("certificate", "not a certificate");
    service.server.signal("HUP");
    service.server.wait_for_log("tls.reload_failed");
    assert!(service.is_heard(first.clone()).await);

    let renewed = next.certify();
    service.write("certificate", &renewed.certificate);
    service.write("key", &renewed.key);
    service.server.signal("HUP");
    service.server.wait_for_log("tls.reloaded");
    service.authority = next;
    assert!(service.is_heard(service.trusting()).await);
    assert!(!service.is_heard(first).await);
}
