//! `RevokeTokens`: the app revokes the tokens of a user that were issued before a time.

use domain::operation::RevokeTokens;
use domain::{Operation, Violations};
use proto::sys::v1::{RevokeTokensRequest, RevokeTokensResponse};
use rpc::convert::idempotency::Canonical;
use rpc::convert::{id, time};
use rpc::methods::sys::REVOKE_TOKENS;
use rpc::{Revocations, RpcError, System};
use storage::{Budget, MailStore};

pub async fn handle(
    store: &dyn MailStore,
    revocations: &Revocations,
    system: System,
    request: RevokeTokensRequest,
    budget: Budget,
) -> Result<RevokeTokensResponse, RpcError> {
    let operation = parse(&request)?;
    let revocation = store.execute(system.app(), operation, budget).await?;
    revocations.add(system.app(), revocation);
    Ok(RevokeTokensResponse {
        before: Some(time::timestamp(revocation.before)),
    })
}

fn parse(request: &RevokeTokensRequest) -> Result<Operation<RevokeTokens>, Violations> {
    let mut violations = Violations::none();
    let profile_id = id::profile(&request.profile_id, "profile_id", &mut violations);
    let before = time::before(request.before, "before", &mut violations);
    let request_id = id::request(&request.request_id, &mut violations);
    let profile_id = violations.finish(profile_id)?;
    Ok(Operation {
        request: Canonical::of(REVOKE_TOKENS.path)
            .field(profile_id.as_str())
            .list(before.map(|before| before.0.to_be_bytes()))
            .of_app(request_id.as_ref()),
        action: RevokeTokens { profile_id, before },
    })
}
