//! Methods that every listener serves beside its own: health, without a token, and reflection.

use super::{Access, Effect, Method, Scope, ServiceName};

pub(super) const HEALTH: [Method; 2] = [
    Method::new("/grpc.health.v1.Health/Check", Access::Open, Effect::Reads),
    Method::new("/grpc.health.v1.Health/Watch", Access::Open, Effect::Reads).streaming(),
];

/// Returns the methods of reflection, in both versions. The methods of `Sys` are shown only to
/// callers who may read by them.
pub(super) fn reflection(service: ServiceName) -> [Method; 2] {
    let access = match service {
        ServiceName::Messaging => Access::Open,
        ServiceName::Sys => Access::System(Scope::Read),
    };
    [
        "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
    ]
    .map(|path| {
        Method::new(path, access, Effect::Reads)
            .taking_stream()
            .streaming()
    })
}
