//! Postroom's public contract as Rust types, clients and servers, generated from `proto/`.
//!
//! Nothing here is written by hand: the contract, with every rule and limit, is in the comments of
//! the `.proto` files, and they come back as the docs of these types. One type differs from them:
//! the `json` of a content is the encoded `google.protobuf.Value`, so that it passes as it is.

/// `postroom.v1`: the service for users, and the types that all services share.
#[allow(clippy::all, clippy::pedantic, reason = "generated code")]
pub mod v1 {
    tonic::include_proto!("postroom.v1");
}

/// `postroom.sys`: what the app itself may do.
pub mod sys {
    /// `postroom.sys.v1`: the privileged service.
    #[allow(clippy::all, clippy::pedantic, reason = "generated code")]
    pub mod v1 {
        tonic::include_proto!("postroom.sys.v1");
    }
}

/// `postroom.internal`: what no listener serves.
pub mod internal {
    /// `postroom.internal.v1`: what is inside page contexts and cursors.
    #[allow(clippy::all, clippy::pedantic, reason = "generated code")]
    pub mod v1 {
        tonic::include_proto!("postroom.internal.v1");
    }
}

/// The encoded `FileDescriptorSet` of `postroom.v1.Messaging` and `Conversations` and what they need, for
/// reflection.
pub const MESSAGING_DESCRIPTOR_SET: &[u8] =
    include_bytes!(concat!(env!("OUT_DIR"), "/messaging.bin"));

/// The encoded `FileDescriptorSet` of `postroom.sys.v1.Sys` and what it needs, for reflection.
pub const SYS_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/sys.bin"));
