//! `GetErasure`: state of the erasure of a user.

use domain::{ProfileId, Violations};
use proto::sys::v1::{GetErasureRequest, GetErasureResponse};
use rpc::convert::{id, time};
use rpc::{RpcError, System};
use storage::MailStore;

pub async fn handle(
    store: &dyn MailStore,
    system: System,
    request: GetErasureRequest,
) -> Result<GetErasureResponse, RpcError> {
    let profile = parse(&request)?;
    let erasure = store.erasure(system.app(), &profile).await?;
    let erasure = erasure.ok_or(RpcError::ErasureNotFound)?;
    Ok(GetErasureResponse {
        request_time: Some(time::timestamp(erasure.requested)),
        done_time: erasure.done.map(time::timestamp),
    })
}

fn parse(request: &GetErasureRequest) -> Result<ProfileId, Violations> {
    let mut violations = Violations::none();
    let profile = id::profile(&request.profile_id, "profile_id", &mut violations);
    violations.finish(profile)
}
