//! `EraseProfile`: the app erases a user.

use domain::operation::EraseProfile;
use domain::{Operation, Violations};
use proto::sys::v1::{EraseProfileRequest, EraseProfileResponse};
use rpc::convert::idempotency::Canonical;
use rpc::convert::{id, time};
use rpc::methods::sys::ERASE_PROFILE;
use rpc::{Revocations, RpcError, System};
use storage::{Budget, MailStore};

pub async fn handle(
    store: &dyn MailStore,
    revocations: &Revocations,
    system: System,
    request: EraseProfileRequest,
    budget: Budget,
) -> Result<EraseProfileResponse, RpcError> {
    let operation = parse(&request)?;
    let revocation = store.execute(system.app(), operation, budget).await?;
    revocations.add(system.app(), revocation);
    Ok(EraseProfileResponse {
        request_time: Some(time::timestamp(revocation.before)),
    })
}

fn parse(request: &EraseProfileRequest) -> Result<Operation<EraseProfile>, Violations> {
    let mut violations = Violations::none();
    let profile_id = id::profile(&request.profile_id, "profile_id", &mut violations);
    let request_id = id::request(&request.request_id, &mut violations);
    let profile_id = violations.finish(profile_id)?;
    Ok(Operation {
        request: Canonical::of(ERASE_PROFILE.path)
            .field(profile_id.as_str())
            .of_app(request_id.as_ref()),
        action: EraseProfile { profile_id },
    })
}
