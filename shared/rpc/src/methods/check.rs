//! Comparison of the catalogue with the descriptors of the protos.

use std::collections::{BTreeSet, HashMap};

use prost::Message as _;
use prost_types::{DescriptorProto, FileDescriptorSet, MethodDescriptorProto};

use super::Method;

/// Difference between the catalogue and the descriptors.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum CatalogueError {
    /// Descriptors that cannot be decoded.
    #[error("the descriptors are malformed")]
    Descriptors(#[source] prost::DecodeError),
    /// A method without a row in the catalogue.
    #[error("{0} is not in the catalogue of methods")]
    Missing(String),
    /// A row for a method that does not exist, or whose streams, `request_id` or contents differ.
    #[error("{0} differs from its entry in the catalogue of methods")]
    Mismatch(String),
}

/// Contents of a message.
const CONTENT: &str = ".postroom.v1.Content";

/// Properties of a method that the descriptors tell as well.
#[expect(clippy::struct_excessive_bools, reason = "four independent properties")]
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Signature {
    path: String,
    takes_stream: bool,
    is_stream: bool,
    takes_request_id: bool,
    shows_contents: bool,
}

/// Checks that the methods are those of the descriptors.
pub(super) fn against_descriptors(
    methods: &[Method],
    descriptors: &[u8],
) -> Result<(), CatalogueError> {
    let described = described(descriptors)?;
    let listed: BTreeSet<Signature> = methods.iter().map(listed).collect();
    if let Some(extra) = listed.difference(&described).next() {
        return Err(CatalogueError::Mismatch(extra.path.clone()));
    }
    if let Some(missing) = described.difference(&listed).next() {
        return Err(CatalogueError::Missing(missing.path.clone()));
    }
    Ok(())
}

fn listed(method: &Method) -> Signature {
    Signature {
        path: method.path.to_owned(),
        takes_stream: method.takes_stream,
        is_stream: method.is_stream,
        takes_request_id: method.takes_request_id(),
        shows_contents: method.shows_contents,
    }
}

fn described(descriptors: &[u8]) -> Result<BTreeSet<Signature>, CatalogueError> {
    let set = FileDescriptorSet::decode(descriptors).map_err(CatalogueError::Descriptors)?;
    let messages = messages(&set);
    let mut signatures = BTreeSet::new();
    for file in &set.file {
        for service in &file.service {
            let service_name = format!("/{}.{}", file.package(), service.name());
            let methods = service.method.iter();
            signatures.extend(methods.map(|method| signature(&service_name, method, &messages)));
        }
    }
    Ok(signatures)
}

/// Messages by their full names, with the leading dot of references to them.
type MessagesByName<'a> = HashMap<String, &'a DescriptorProto>;

fn messages(set: &FileDescriptorSet) -> MessagesByName<'_> {
    let mut messages = HashMap::new();
    for file in &set.file {
        for message in &file.message_type {
            messages.insert(format!(".{}.{}", file.package(), message.name()), message);
        }
    }
    messages
}

fn signature(
    service: &str,
    method: &MethodDescriptorProto,
    messages: &MessagesByName<'_>,
) -> Signature {
    let request = messages.get(method.input_type());
    Signature {
        path: format!("{service}/{}", method.name()),
        takes_stream: method.client_streaming(),
        is_stream: method.server_streaming(),
        takes_request_id: request.is_some_and(|request| {
            has_request_id(request)
                || (method.client_streaming() && part_has_request_id(request, messages))
        }),
        shows_contents: has_contents(method.output_type(), messages, &mut BTreeSet::new()),
    }
}

fn has_request_id(message: &DescriptorProto) -> bool {
    message
        .field
        .iter()
        .any(|field| field.name() == "request_id")
}

/// Returns true if a part of a streamed request has the `request_id`.
fn part_has_request_id(request: &DescriptorProto, messages: &MessagesByName<'_>) -> bool {
    let mut parts = request
        .field
        .iter()
        .filter_map(|field| messages.get(field.type_name()));
    parts.any(|part| has_request_id(part))
}

/// Returns true if a message has contents, in itself or in its parts.
fn has_contents<'a>(
    name: &'a str,
    messages: &MessagesByName<'a>,
    visited: &mut BTreeSet<&'a str>,
) -> bool {
    let fields = messages.get(name).into_iter().flat_map(|it| &it.field);
    name == CONTENT
        || visited.insert(name)
            && fields
                .into_iter()
                .any(|field| has_contents(field.type_name(), messages, visited))
}

#[cfg(test)]
mod tests {
    use super::super::{Access, Effect, messaging, of_users, sys};
    use super::*;

    const DESCRIPTORS: &[u8] = proto::MESSAGING_DESCRIPTOR_SET;

    fn mismatch(path: &str) -> Result<(), CatalogueError> {
        Err(CatalogueError::Mismatch(path.to_owned()))
    }

    #[test]
    fn the_catalogue_matches_the_descriptors() {
        assert_eq!(against_descriptors(&of_users(), DESCRIPTORS), Ok(()));
        let sys_descriptors = proto::SYS_DESCRIPTOR_SET;
        assert_eq!(against_descriptors(sys::ALL, sys_descriptors), Ok(()));
    }

    #[test]
    fn a_method_that_is_not_in_the_catalogue_is_an_error() {
        assert_eq!(
            against_descriptors(&of_users()[1..], DESCRIPTORS),
            Err(CatalogueError::Missing(messaging::ALL[0].path.to_owned()))
        );
    }

    #[test]
    fn an_unknown_method_in_the_catalogue_is_an_error() {
        let path = "/postroom.v1.Messaging/None";
        let mut methods = of_users();
        methods.push(Method::new(path, Access::Open, Effect::Reads));
        assert_eq!(against_descriptors(&methods, DESCRIPTORS), mismatch(path));
    }

    #[test]
    fn a_stream_of_another_kind_is_an_error() {
        let mut methods = of_users();
        for method in &mut methods {
            method.is_stream = false;
        }
        assert_eq!(
            against_descriptors(&methods, DESCRIPTORS),
            mismatch(messaging::SUBSCRIBE.path)
        );
    }

    #[test]
    fn contents_that_are_not_in_the_catalogue_are_an_error() {
        let mut methods = sys::ALL.to_vec();
        for method in &mut methods {
            method.shows_contents = false;
        }
        let path = sys::EXPORT_PROFILE.path;
        let found = against_descriptors(&methods, proto::SYS_DESCRIPTOR_SET);
        assert_eq!(found, mismatch(path));
    }

    #[test]
    fn an_effect_that_contradicts_the_request_id_is_an_error() {
        for effect in [Effect::Reads, Effect::WritesIdempotently] {
            let mut methods = of_users();
            for method in &mut methods {
                if method.path == messaging::SEND_MESSAGE.path {
                    method.effect = effect;
                }
            }
            assert_eq!(
                against_descriptors(&methods, DESCRIPTORS),
                mismatch(messaging::SEND_MESSAGE.path)
            );
        }
    }
}
