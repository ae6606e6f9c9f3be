//! `UpdateAppSettings`: the app overrides configured settings.

use domain::operation::UpdateAppSettings;
use domain::{Operation, Violations};
use prost::Message as _;
use proto::sys::v1::{UpdateAppSettingsRequest, UpdateAppSettingsResponse};
use rpc::convert::idempotency::Canonical;
use rpc::convert::{expected_version, id};
use rpc::methods::sys::UPDATE_APP_SETTINGS;
use rpc::{Limiter, RpcError, System};
use storage::{Budget, MailStore};

use crate::settings;

pub async fn handle(
    store: &dyn MailStore,
    limiter: &Limiter,
    system: System,
    request: UpdateAppSettingsRequest,
    budget: Budget,
) -> Result<UpdateAppSettingsResponse, RpcError> {
    let operation = parse(&request)?;
    let overrides = store.execute(system.app(), operation, budget).await?;
    let policy = store.policy(&overrides);
    limiter.set_quotas(system.app(), overrides.version, policy.quotas);
    Ok(UpdateAppSettingsResponse {
        settings: Some(settings::overrides(&overrides)),
        effective: Some(settings::effective(overrides.version, &policy)),
    })
}

fn parse(request: &UpdateAppSettingsRequest) -> Result<Operation<UpdateAppSettings>, Violations> {
    let mut violations = Violations::none();
    let overrides = settings::parse(request.settings.as_ref(), &mut violations);
    let expected_version = expected_version::parse(request.expected_version, &mut violations);
    let request_id = id::request(&request.request_id, &mut violations);
    let overrides = violations.finish(overrides)?;
    Ok(Operation {
        request: Canonical::of(UPDATE_APP_SETTINGS.path)
            .field(settings::overrides(&overrides).encode_to_vec())
            .field(expected_version::canonical(expected_version))
            .of_app(request_id.as_ref()),
        action: UpdateAppSettings {
            settings: overrides,
            expected_version,
        },
    })
}

#[cfg(test)]
mod tests {
    use proto::sys::v1::AppSettings;

    use super::*;

    fn request(settings: AppSettings) -> UpdateAppSettingsRequest {
        UpdateAppSettingsRequest {
            settings: Some(settings),
            expected_version: None,
            request_id: "once".into(),
        }
    }

    #[test]
    fn the_version_inside_the_settings_is_ignored() {
        let once = |settings| parse(&request(settings)).expect("an operation").request;
        let settings = AppSettings {
            allow_edit: Some(false),
            ..AppSettings::default()
        };
        assert_eq!(
            once(settings),
            once(AppSettings {
                version: 9,
                ..settings
            })
        );
        assert_ne!(once(settings), once(AppSettings::default()));
    }

    #[test]
    fn settings_must_be_given() {
        let violations = parse(&UpdateAppSettingsRequest::default()).expect_err("violations");
        assert_eq!(violations.as_slice()[0].field, "settings");
    }
}
