//! The development key of a data directory, for services that do not run with `--dev`.

use std::path::Path;

use crate::issuer::TestIssuer;
use crate::secret_file;

const PUBLIC_FILE: &str = "jwks.json";

/// Creates the key, for `postroom token`.
pub fn create(data_dir: &Path) {
    let issuer = TestIssuer::shared();
    secret_file::write(&data_dir.join("signing-key.pem"), issuer.pem());
    secret_file::write(&data_dir.join(PUBLIC_FILE), &issuer.jwks());
}

/// Configuration of a service that accepts tokens with the key, and is otherwise as with `--dev`.
pub fn variables(data_dir: &Path) -> [(&'static str, String); 3] {
    let jwks = data_dir.join(PUBLIC_FILE);
    let issuer = format!(
        "[{{ iss = 'postroom-dev', jwks = '{}', apps = '*', kinds = ['user', 'sys'] }}]",
        jwks.display()
    );
    [
        ("POSTROOM_ISSUER", issuer),
        ("POSTROOM_GRPC__REFLECTION", "true".to_owned()),
        ("POSTROOM_DRAIN__DELAY_SECONDS", "0".to_owned()),
    ]
}
