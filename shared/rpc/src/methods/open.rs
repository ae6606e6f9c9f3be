//! Methods that every listener serves without a token: health and reflection.

use super::{Access, Effect, Method};

const fn open(path: &'static str) -> Method {
    Method::new(path, Access::Open, Effect::Reads)
}

pub(super) const ALL: &[Method] = &[
    open("/grpc.health.v1.Health/Check"),
    open("/grpc.health.v1.Health/Watch").streaming(),
    open("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo").streaming(),
    open("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo").streaming(),
];
