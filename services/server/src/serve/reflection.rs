//! The gRPC reflection service, in both of its versions.

use anyhow::Context;
use tonic::service::RoutesBuilder;
use tonic_reflection::server::Builder as Reflection;

/// Adds reflection of the services in a descriptor set.
///
/// # Errors
/// If a descriptor set is malformed.
pub fn add_reflection(
    routes: &mut RoutesBuilder,
    descriptor_set: &'static [u8],
) -> anyhow::Result<()> {
    let v1 = builder(descriptor_set)
        .build_v1()
        .context("reflection v1")?;
    let v1alpha = builder(descriptor_set)
        .build_v1alpha()
        .context("reflection v1alpha")?;
    routes.add_service(v1).add_service(v1alpha);
    Ok(())
}

fn builder(descriptor_set: &'static [u8]) -> Reflection<'static> {
    Reflection::configure()
        .include_reflection_service(false)
        .register_encoded_file_descriptor_set(descriptor_set)
        // Details of errors, so that grpcurl can show them.
        .register_encoded_file_descriptor_set(tonic_types::pb::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_reflection::pb::v1::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_reflection::pb::v1alpha::FILE_DESCRIPTOR_SET)
}
