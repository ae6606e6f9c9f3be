//! `BlockProfile`: a user blocks a profile.

use domain::operation::BlockProfile;
use domain::{Operation, ProfileId, Violations};
use proto::v1::{BlockProfileRequest, BlockProfileResponse};
use rpc::convert::id;
use rpc::convert::idempotency::Canonical;
use rpc::methods::messaging::BLOCK_PROFILE;
use rpc::{RpcError, User};
use storage::{Budget, MailStore};

pub async fn handle(
    store: &dyn MailStore,
    user: User,
    request: BlockProfileRequest,
    budget: Budget,
) -> Result<BlockProfileResponse, RpcError> {
    let operation = parse(user.profile(), &request)?;
    store.execute(user.app(), operation, budget).await?;
    Ok(BlockProfileResponse {})
}

fn parse(
    owner: &ProfileId,
    request: &BlockProfileRequest,
) -> Result<Operation<BlockProfile>, Violations> {
    let mut violations = Violations::none();
    let profile_id = id::profile(&request.profile_id, "profile_id", &mut violations);
    if profile_id.as_ref() == Some(owner) {
        violations.invalid("profile_id", "must not be your own");
    }
    let request_id = id::request(&request.request_id, &mut violations);
    let profile_id = violations.finish(profile_id)?;
    Ok(Operation {
        request: Canonical::of(BLOCK_PROFILE.path)
            .field(profile_id.as_str())
            .of_user(owner, request_id.as_ref()),
        action: BlockProfile {
            owner: owner.clone(),
            profile_id,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{alice, fields, fingerprint};

    fn request(profile_id: &str, request_id: &str) -> BlockProfileRequest {
        BlockProfileRequest {
            profile_id: profile_id.into(),
            request_id: request_id.into(),
        }
    }

    #[test]
    fn all_violations_are_reported_together() {
        for profile_id in ["", "alice"] {
            let violations = parse(&alice(), &request(profile_id, "a b")).expect_err("violations");
            assert_eq!(fields(&violations), ["profile_id", "request_id"]);
        }
    }

    #[test]
    fn another_profile_is_another_request() {
        let one = parse(&alice(), &request("bob", "once")).expect("an operation");
        let other = parse(&alice(), &request("Bob", "once")).expect("an operation");
        assert_ne!(fingerprint(&one), fingerprint(&other));
    }
}
