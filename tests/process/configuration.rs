//! Configuration errors that end the program before it listens.

use std::fs;
use std::net::{SocketAddr, TcpListener};

use support::command;
use support::process::postroom;
use support::temp_folder::TempFolder;

/// Command line or configuration not usable.
const USAGE: i32 = 64;

fn serve(arguments: &[&str]) -> (Option<i32>, String) {
    let all = [&["serve"], arguments].concat();
    let output = command::output(&mut postroom(all));
    (
        output.status.code(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}

#[test]
fn a_bad_configuration_ends_with_64_and_names_the_key_before_any_port_is_bound() {
    // Were a port bound first, it would be this one, and the message another.
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let taken: SocketAddr = taken.local_addr().expect("an address");
    let folder = TempFolder::new();
    let path = folder.join("postroom.toml");
    for (text, told) in [
        ("[user]\nadress = \"127.0.0.1:0\"", "user.adress"),
        ("[limits]\ncalls_in_flight = 0", "limits.calls_in_flight"),
        (
            "[policy]\ndefault_expiry = \"soon\"",
            "policy.default_expiry",
        ),
        ("[[issuer]]\niss = \"me\"", "issuer"),
    ] {
        fs::write(&path, text).expect("a file");
        let file = path.display().to_string();
        let (code, said) = serve(&["--config", &file, "--user-address", &taken.to_string()]);
        assert_eq!(code, Some(USAGE), "{said}");
        assert!(said.contains(told), "{told} is not in {said}");
    }
}

#[test]
fn a_port_that_is_taken_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let taken = taken.local_addr().expect("an address").to_string();
    let folder = TempFolder::new();
    let data_dir = folder.path().display().to_string();
    let (code, said) = serve(&["--dev", "--data-dir", &data_dir, "--user-address", &taken]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains(&taken), "{said}");
}
