//! The program under systemd: its unit, and what it tells the manager.

use std::os::unix::net::UnixDatagram;
use std::process::Command;

use support::command::output;
use support::process::{ServerProcess, StartOptions};
use support::temp_folder::TempFolder;
use support::{coverage, workspace};

/// Highest exposure of the unit, in tenths, as `systemd-analyze security` rates it.
const EXPOSURE_MAX: &str = "15";

#[test]
fn a_service_reports_that_it_is_ready_alive_and_stopping() {
    let folder = TempFolder::new();
    let path = folder.join("notify");
    let manager = UnixDatagram::bind(&path).expect("a socket");
    let server = ServerProcess::start(&StartOptions {
        data_dir: folder.join("data"),
        variables: vec![
            ("NOTIFY_SOCKET", path.display().to_string()),
            ("WATCHDOG_USEC", "300000".to_owned()),
        ],
        ..StartOptions::default()
    });
    let next = || {
        let mut bytes = [0; 100];
        let length = manager.recv(&mut bytes).expect("a report");
        String::from_utf8_lossy(&bytes[..length]).trim().to_owned()
    };
    assert_eq!(next(), "READY=1");
    assert_eq!([next(), next()], ["WATCHDOG=1"; 2]);
    server.terminate();
    while next() != "STOPPING=1" {}
    assert!(server.wait().success());
}

#[test]
fn the_unit_of_systemd_exposes_little() {
    let mut analyze = Command::new("systemd-analyze");
    if analyze.arg("--version").output().is_err() {
        coverage::print("the unit of systemd is not analyzed: there is no systemd-analyze");
        return;
    }
    let unit = workspace::root().join("deploy/postroom.service");
    let mut analyze = Command::new("systemd-analyze");
    analyze.args([
        "security",
        "--offline=true",
        "--no-pager",
        "--threshold",
        EXPOSURE_MAX,
    ]);
    let said = output(analyze.arg(unit));
    let text = String::from_utf8_lossy(&said.stdout);
    assert!(said.status.success(), "{text}");
    let last = text.lines().last().unwrap_or_default();
    coverage::print(last.trim_start_matches(['→', ' ']));
}
