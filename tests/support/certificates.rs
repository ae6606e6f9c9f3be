//! Certificates for TLS.

use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer, IsCa,
    KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SerialNumber, date_time_ymd,
};
use tonic::transport::{Certificate, Identity};
use uuid::Uuid;

use crate::secret_file;

/// The name that certificates are for.
pub const NAME: &str = "localhost";

/// A certificate authority of a test.
#[derive(Debug)]
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate with its key, as PEM.
#[derive(Debug)]
pub struct Certified {
    /// The certificate.
    pub certificate: String,
    /// Private key, as PEM.
    pub key: String,
    serial: Vec<u8>,
}

impl Authority {
    /// A new one.
    ///
    /// # Panics
    /// If there is no cryptography.
    #[must_use]
    pub fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let issuer = CertifiedIssuer::self_signed(params, key());
        Self(issuer.expect("a certificate"))
    }

    /// Certificate of the authority, as PEM.
    #[must_use]
    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// Certificate that a client trusts.
    #[must_use]
    pub fn trusted(&self) -> Certificate {
        Certificate::from_pem(self.pem())
    }

    /// Certifies [`NAME`].
    ///
    /// # Panics
    /// If there is no cryptography.
    #[must_use]
    pub fn certify(&self) -> Certified {
        self.certify_as(NAME)
    }

    /// Certifies a name.
    ///
    /// # Panics
    /// If it is not a DNS name, or there is no cryptography.
    #[must_use]
    pub fn certify_as(&self, name: &str) -> Certified {
        let mut params = CertificateParams::new(vec![name.to_owned()]).expect("a name");
        let serial = Uuid::new_v4().into_bytes();
        params.serial_number = Some(SerialNumber::from_slice(&serial));
        let key = key();
        let certificate = params.signed_by(&key, &self.0).expect("a certificate");
        Certified {
            certificate: certificate.pem(),
            key: key.serialize_pem(),
            serial: serial.to_vec(),
        }
    }

    /// CRL of the authority, as PEM.
    ///
    /// # Panics
    /// If there is no cryptography.
    #[must_use]
    pub fn revoke(&self, revoked: &[&Certified]) -> String {
        let now = date_time_ymd(2026, 1, 1);
        let revoked_certs = revoked.iter().map(|certified| RevokedCertParams {
            serial_number: SerialNumber::from_slice(&certified.serial),
            revocation_time: now,
            reason_code: None,
            invalidity_date: None,
        });
        let params = CertificateRevocationListParams {
            this_update: now,
            next_update: date_time_ymd(2100, 1, 1),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: revoked_certs.collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let list = params.signed_by(&self.0).expect("a CRL");
        list.pem().expect("PEM")
    }
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}

impl Certified {
    /// Identity that a client presents.
    #[must_use]
    pub fn identity(&self) -> Identity {
        Identity::from_pem(&self.certificate, &self.key)
    }
}

/// Writes a file.
///
/// # Panics
/// If that is not possible.
#[must_use]
pub fn write(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    secret_file::write(&path, text);
    path
}

fn key() -> KeyPair {
    KeyPair::generate().expect("a key")
}
