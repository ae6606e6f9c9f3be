//! Protection of the ways to the database and to `Sys`.

use super::*;

#[test]
fn a_database_beyond_this_machine_requires_a_verified_certificate_or_insecure() {
    for (url, accepted) in [
        ("postgres://ann@localhost/mail", true),
        ("postgres://ann@[::1]/mail", true),
        ("postgres:///mail?host=/run/postgresql", true),
        ("postgres://ann@db.example.com/mail", false),
        ("postgres://ann@db.example.com/mail?sslmode=require", false),
        (
            "postgres://ann@db.example.com/mail?sslmode=verify-full",
            true,
        ),
        ("sqlite:mail.db", true),
    ] {
        for key in ["POSTROOM_DATABASE__URL", "POSTROOM_DATABASE__NOTIFY_URL"] {
            let loaded = load("", &[(key, url)], Flags::default());
            assert_eq!(loaded.is_ok(), accepted, "{url}: {loaded:?}");
            if let Err(error) = loaded {
                assert!(error.contains("?sslmode=verify-full"), "{error}");
                assert!(error.contains("database.insecure = true"), "{error}");
            }
            let insecure = ("POSTROOM_DATABASE__INSECURE", "true");
            let loaded = load("", &[(key, url), insecure], Flags::default());
            assert!(loaded.is_ok(), "{url}: {loaded:?}");
        }
    }
}

#[test]
fn clients_of_sys_and_crls_require_a_ca() {
    for (text, told) in [
        (
            "tls = { certificate = 'a', key = 'b', client_crl = 'c' }",
            "sys.tls.client_crl: needs sys.tls.client_ca",
        ),
        (
            "client = [{ name = 'hooks', scopes = ['sys.send'] }]",
            "sys.client: needs sys.tls.client_ca",
        ),
        (
            "client = [{ name = 'hooks', scopes = ['sys.all'] }]",
            "sys.client.0.scopes: must be a list of scopes",
        ),
    ] {
        let error = load(&format!("[sys]\n{text}"), &[], Flags::default()).expect_err(text);
        assert!(error.contains(told), "{error}");
    }
}
