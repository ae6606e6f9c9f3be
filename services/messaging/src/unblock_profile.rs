//! `UnblockProfile`: a user unblocks a profile.

use domain::operation::UnblockProfile;
use domain::{Operation, ProfileId, Violations};
use proto::v1::{UnblockProfileRequest, UnblockProfileResponse};
use rpc::convert::id;
use rpc::convert::idempotency::Canonical;
use rpc::methods::messaging::UNBLOCK_PROFILE;
use rpc::{RpcError, User};
use storage::{Budget, MailStore};

pub async fn handle(
    store: &dyn MailStore,
    user: User,
    request: UnblockProfileRequest,
    budget: Budget,
) -> Result<UnblockProfileResponse, RpcError> {
    let operation = parse(user.profile(), &request)?;
    store.execute(user.app(), operation, budget).await?;
    Ok(UnblockProfileResponse {})
}

fn parse(
    owner: &ProfileId,
    request: &UnblockProfileRequest,
) -> Result<Operation<UnblockProfile>, Violations> {
    let mut violations = Violations::none();
    let profile_id = id::profile(&request.profile_id, "profile_id", &mut violations);
    let request_id = id::request(&request.request_id, &mut violations);
    let profile_id = violations.finish(profile_id)?;
    Ok(Operation {
        request: Canonical::of(UNBLOCK_PROFILE.path)
            .field(profile_id.as_str())
            .of_user(owner, request_id.as_ref()),
        action: UnblockProfile {
            owner: owner.clone(),
            profile_id,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{alice, fields};

    #[test]
    fn all_violations_are_reported_together() {
        let request = UnblockProfileRequest {
            profile_id: String::new(),
            request_id: "a b".into(),
        };
        let violations = parse(&alice(), &request).expect_err("violations");
        assert_eq!(fields(&violations), ["profile_id", "request_id"]);
    }
}
