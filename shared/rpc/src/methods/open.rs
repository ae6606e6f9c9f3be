//! What every listener serves without a token: health and reflection.

use super::{Access, Method};

pub(super) const ROWS: [Method; 4] = [
    Method::unary("grpc.health.v1.Health/Check", Access::Open),
    Method::stream("grpc.health.v1.Health/Watch", Access::Open),
    Method::stream(
        "grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        Access::Open,
    ),
    Method::stream(
        "grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
        Access::Open,
    ),
];
