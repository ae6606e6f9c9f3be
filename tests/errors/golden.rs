//! Statuses as text, to compare them with files.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use tonic::Status;
use tonic_types::StatusExt as _;

/// Compares the errors of these cases with a golden file.
pub fn compare(name: &str, cases: &[(&str, Status)]) {
    let told: Vec<String> = cases
        .iter()
        .map(|(case, status)| shown(case, status))
        .collect();
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("golden");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, told.join("\n")));
}

fn shown(case: &str, status: &Status) -> String {
    let details = status.get_error_details();
    let mut text = format!("{case}\n  {:?}", status.code());
    if let Some(info) = details.error_info() {
        let metadata: BTreeMap<_, _> = info.metadata.iter().collect();
        let _ = write!(text, " {}", info.reason);
        assert_eq!(info.domain, "postroom", "{case}");
        for (key, value) in metadata {
            let _ = write!(text, " {key}={value}");
        }
    }
    let _ = writeln!(text, ": {}", status.message());
    if let Some(retry) = details.retry_info() {
        let _ = writeln!(
            text,
            "  again after {:?}",
            retry.retry_delay.unwrap_or_default()
        );
    }
    for violation in details
        .bad_request()
        .map_or(&[][..], |bad| &bad.field_violations)
    {
        let _ = writeln!(text, "  {:?}: {}", violation.field, violation.description);
    }
    text
}
