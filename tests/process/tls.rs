//! TLS of the listeners: certificates of servers and clients, and ALPN.

use std::sync::Arc;

use proto::sys;
use proto::sys::v1::sys_client::SysClient;
use proto::v1;
use proto::v1::messaging_client::MessagingClient;
use storage::Clock as _;
use storage_sql::SystemClock;
use support::certificates::{Authority, Certified, NAME, write};
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
use tonic::{Code, Status};
use uuid::Uuid;

use crate::api::builders::{notice, text};

/// The protocol that gRPC needs.
const HTTP_2: &str = "h2";

/// A service with a listener that accepts TLS only.
struct Secured {
    server: ServerProcess,
    authority: Authority,
    folder: TempFolder,
}

impl Secured {
    /// Starts a service with TLS for users. With `clients`, it accepts only clients certified by
    /// that authority.
    fn start(clients: Option<&Authority>) -> Self {
        Self::start_with("user", clients, None, "")
    }

    /// Starts a service with TLS for a listener, and further lines of its configuration. With
    /// `revoked`, its file `client_crl` has that CRL.
    fn start_with(
        listener: &str,
        clients: Option<&Authority>,
        revoked: Option<String>,
        lines: &str,
    ) -> Self {
        let (folder, authority, issuer) =
            (TempFolder::new(), Authority::new(), TestIssuer::shared());
        let own = authority.certify();
        let write = |name, text: &str| write(folder.path(), name, text);
        let mut config = vec![
            TestIssuer::section(&write("jwks.json", &issuer.jwks())),
            "[database]".to_owned(),
            format!("url = 'sqlite:{}'", folder.join("postroom.db").display()),
            lines.to_owned(),
            format!("[{listener}.tls]"),
        ];
        let files = [
            ("certificate", Some(own.certificate)),
            ("key", Some(own.key)),
            ("client_ca", clients.map(Authority::pem)),
            ("client_crl", revoked),
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

    /// TLS configuration of a client that trusts the service and presents a certificate.
    fn presenting(&self, certified: &Certified) -> ClientTlsConfig {
        self.trusting().identity(certified.identity())
    }

    /// Codes of a send and of a look at an unknown message by way of `Sys`, for a client with a certificate
    /// and a token with all scopes.
    async fn sys_codes(&self, certified: &Certified) -> [Code; 2] {
        let endpoint = Endpoint::from_shared(format!("https://{}", self.server.sys));
        let endpoint = endpoint.expect("an address");
        let endpoint = endpoint.tls_config(self.presenting(certified));
        let channel = endpoint.expect("a configuration").connect().await;
        let bearer = Bearer::new(&self.server.tokens.sys);
        let mut app = SysClient::with_interceptor(channel.expect("a connection"), bearer);
        let sent = app.send_message(notice(&["bob"], text("hello"))).await;
        let named = sys::v1::GetMessagesRequest {
            message_ids: vec![Uuid::now_v7().to_string()],
            ..Default::default()
        };
        let read = app.get_messages(named).await;
        let code = |error: Option<Status>| error.map_or(Code::Ok, |error| error.code());
        [code(sent.err()), code(read.err())]
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
    let showing = |authority: &Authority| service.presenting(&authority.certify());
    assert!(service.is_heard(showing(&clients)).await);
    assert!(!service.is_heard(showing(&Authority::new())).await);
    assert!(!service.is_heard(service.trusting()).await);
}

#[tokio::test]
async fn a_revoked_client_certificate_is_refused_without_a_restart() {
    let clients = Authority::new();
    let (kept, lost) = (clients.certify(), clients.certify());
    let none_revoked = clients.revoke(&[]);
    let service = Secured::start_with("user", Some(&clients), Some(none_revoked), "");
    assert!(service.is_heard(service.presenting(&lost)).await);

    service.write("client_crl", &clients.revoke(&[&lost]));
    service.server.signal("HUP");
    service.server.wait_for_log("tls.reloaded");
    assert!(!service.is_heard(service.presenting(&lost)).await);
    assert!(service.is_heard(service.presenting(&kept)).await);
}

#[tokio::test]
async fn a_client_of_sys_has_at_most_the_scopes_of_its_certificate() {
    let clients = Authority::new();
    let lines = "
        [[sys.client]]
        name = 'hooks.example.com'
        scopes = ['sys.send']
        [[sys.client]]
        name = 'moderation.example.com'
        scopes = ['sys.read']
    ";
    let service = Secured::start_with("sys", Some(&clients), None, lines);
    for (name, expected) in [
        ("hooks.example.com", [Code::Ok, Code::PermissionDenied]),
        (
            "moderation.example.com",
            [Code::PermissionDenied, Code::NotFound],
        ),
        ("example.com", [Code::PermissionDenied; 2]),
    ] {
        let codes = service.sys_codes(&clients.certify_as(name)).await;
        assert_eq!(codes, expected, "{name}");
    }

    let unbound = Secured::start_with("sys", Some(&clients), None, "");
    let codes = unbound.sys_codes(&clients.certify()).await;
    assert_eq!(codes, [Code::Ok, Code::NotFound]);
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
