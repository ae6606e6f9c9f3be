//! `GetAppSettings`: the app's overrides, and the settings in force.

use proto::sys::v1::GetAppSettingsResponse;
use rpc::{RpcError, System};
use storage::MailStore;

use crate::settings;

pub async fn handle(
    store: &dyn MailStore,
    system: System,
) -> Result<GetAppSettingsResponse, RpcError> {
    let overrides = store.app_state(system.app()).await?.settings;
    let policy = store.policy(&overrides);
    Ok(GetAppSettingsResponse {
        settings: Some(settings::overrides(&overrides)),
        effective: Some(settings::effective(overrides.version, &policy)),
    })
}
