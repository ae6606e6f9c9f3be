//! Every method that changes something takes a `request_id`, or has a reason not to.

use std::collections::BTreeSet;

use prost_types::MethodDescriptorProto;

use super::descriptors::messages;
use super::files;
use crate::api::request_ids::Mutation;

/// Methods that change nothing.
const READS: [&str; 20] = [
    "postroom.sys.v1.Sys.ExportProfile",
    "postroom.sys.v1.Sys.GetAppSettings",
    "postroom.sys.v1.Sys.GetBulk",
    "postroom.sys.v1.Sys.GetErasure",
    "postroom.sys.v1.Sys.GetMessageCountsForOwner",
    "postroom.sys.v1.Sys.GetMessages",
    "postroom.sys.v1.Sys.GetMessagesForOwnerPage",
    "postroom.sys.v1.Sys.GetMessagesForOwnerPageOffset",
    "postroom.sys.v1.Sys.GetMessagesPage",
    "postroom.sys.v1.Sys.GetMessagesPageOffset",
    "postroom.sys.v1.Sys.GetSendJob",
    "postroom.sys.v1.Sys.ListAudit",
    "postroom.v1.Conversations.GetConversations",
    "postroom.v1.Conversations.ListConversations",
    "postroom.v1.Messaging.GetChanges",
    "postroom.v1.Messaging.GetMessageBoxes",
    "postroom.v1.Messaging.GetMessageCounts",
    "postroom.v1.Messaging.GetMessagesPage",
    "postroom.v1.Messaging.GetMessagesPageOffset",
    "postroom.v1.Messaging.ListBlocks",
];

/// Methods that mark entries as read or delivered: marking again changes nothing, and the comment
/// of the service says so.
const MARKS: [&str; 3] = [
    "postroom.v1.Messaging.GetMessages",
    "postroom.v1.Messaging.MarkMessagesDelivered",
    "postroom.v1.Messaging.Subscribe",
];

#[test]
fn every_method_that_takes_a_request_id_is_a_tested_mutation() {
    let tested: BTreeSet<_> = Mutation::ALL
        .map(Mutation::method)
        .map(str::to_owned)
        .into();
    assert_eq!(methods(takes_request_id), tested);
}

#[test]
fn a_method_without_request_id_reads_or_marks() {
    let listed = READS.into_iter().chain(MARKS).map(str::to_owned);
    assert_eq!(
        methods(|method| !takes_request_id(method)),
        listed.collect::<BTreeSet<_>>()
    );
}

/// Returns the full names of the methods that satisfy a condition.
fn methods(condition: impl Fn(&MethodDescriptorProto) -> bool) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for file in files() {
        for service in &file.service {
            let methods = service.method.iter().filter(|method| condition(method));
            found.extend(
                methods.map(|method| {
                    format!("{}.{}.{}", file.package(), service.name(), method.name())
                }),
            );
        }
    }
    found
}

/// True if the request, or one of its parts, has a `request_id`.
fn takes_request_id(method: &MethodDescriptorProto) -> bool {
    let files = files();
    let messages = messages(&files);
    let message = |name: &str| {
        let mut found = messages
            .iter()
            .filter(|(full, _)| name.strip_prefix('.') == Some(full));
        found.next().map(|(_, message)| *message)
    };
    let request = message(method.input_type()).expect("a request");
    let parts = request
        .field
        .iter()
        .filter_map(|field| message(field.type_name()));
    let mut fields = parts.chain([request]).flat_map(|part| &part.field);
    fields.any(|field| field.name() == "request_id")
}
