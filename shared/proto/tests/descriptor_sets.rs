//! Each listener's descriptor set says what that listener serves, and nothing of the other.

use postroom_proto::{MESSAGING_DESCRIPTOR_SET, SYS_DESCRIPTOR_SET, sys, v1};
use prost_reflect::{DescriptorPool, FileDescriptor};

fn pool(descriptor_set: &[u8]) -> DescriptorPool {
    DescriptorPool::decode(descriptor_set).expect("a descriptor set that needs no other file")
}

fn services(pool: &DescriptorPool) -> Vec<String> {
    pool.services()
        .map(|service| service.full_name().to_owned())
        .collect()
}

/// The files of Postroom's own packages.
fn own_files(pool: &DescriptorPool) -> Vec<String> {
    let mut names: Vec<_> = pool
        .files()
        .filter(|file| !file.package_name().starts_with("google."))
        .map(|file| file.name().to_owned())
        .collect();
    names.sort();
    names
}

fn methods(pool: &DescriptorPool) -> Vec<String> {
    let mut names = Vec::new();
    for service in pool.services() {
        names.extend(service.methods().map(|method| method.name().to_owned()));
    }
    names
}

fn has_comments(file: &FileDescriptor) -> bool {
    let info = file.file_descriptor_proto().source_code_info.as_ref();
    info.is_some_and(|info| {
        info.location
            .iter()
            .any(|location| location.leading_comments.is_some())
    })
}

#[test]
fn the_messaging_set_lists_the_services_for_users_alone() {
    let pool = pool(MESSAGING_DESCRIPTOR_SET);
    assert_eq!(
        services(&pool),
        [
            v1::messaging_server::SERVICE_NAME,
            v1::conversations_server::SERVICE_NAME,
        ]
    );
    assert_eq!(
        own_files(&pool),
        [
            "postroom/v1/conversations.proto",
            "postroom/v1/error_reason.proto",
            "postroom/v1/event.proto",
            "postroom/v1/message.proto",
            "postroom/v1/messaging.proto",
            "postroom/v1/msgbox.proto",
        ]
    );
}

#[test]
fn the_sys_set_lists_sys_alone() {
    let pool = pool(SYS_DESCRIPTOR_SET);
    assert_eq!(services(&pool), [sys::v1::sys_server::SERVICE_NAME]);
    assert_eq!(
        own_files(&pool),
        [
            "postroom/sys/v1/sys.proto",
            "postroom/v1/error_reason.proto",
            "postroom/v1/message.proto",
            "postroom/v1/msgbox.proto",
        ]
    );
}

#[test]
fn no_set_names_a_symbol_of_the_other_service_or_of_the_inside() {
    for (descriptor_set, foreign) in [
        (
            MESSAGING_DESCRIPTOR_SET,
            &["postroom.sys", "postroom.internal"][..],
        ),
        (
            SYS_DESCRIPTOR_SET,
            &[
                "postroom.v1.Messaging",
                "postroom.v1.Conversation",
                "postroom.internal",
            ],
        ),
    ] {
        let pool = pool(descriptor_set);
        let messages = pool.all_messages().map(|it| it.full_name().to_owned());
        let enums = pool.all_enums().map(|it| it.full_name().to_owned());
        for symbol in messages.chain(enums).chain(services(&pool)) {
            let leaked = foreign.iter().any(|prefix| symbol.starts_with(prefix));
            assert!(!leaked, "{symbol} is in a set where it does not belong");
        }
    }
}

#[test]
fn the_services_for_users_have_all_methods_of_the_contract() {
    assert_eq!(
        methods(&pool(MESSAGING_DESCRIPTOR_SET)),
        [
            "GetMessageBoxes",
            "GetMessageCounts",
            "GetMessages",
            "GetMessagesPage",
            "GetMessagesPageOffset",
            "SendMessage",
            "SendMessageSimple",
            "MarkMessagesRead",
            "MarkMessagesDelivered",
            "DeleteMessages",
            "ClearMessages",
            "EditMessage",
            "BlockProfile",
            "UnblockProfile",
            "ListBlocks",
            "GetChanges",
            "Subscribe",
            "CreateConversation",
            "GetConversations",
            "ListConversations",
            "AddParticipants",
            "RemoveParticipants",
            "ReplaceParticipants",
            "LeaveConversation",
            "UpdateConversationMetadata",
        ]
    );
}

#[test]
fn sys_has_all_methods_of_the_contract() {
    assert_eq!(
        methods(&pool(SYS_DESCRIPTOR_SET)),
        [
            "GetMessages",
            "GetMessagesPage",
            "GetMessagesPageOffset",
            "GetMessagesForOwnerPage",
            "GetMessagesForOwnerPageOffset",
            "GetMessageCountsForOwner",
            "SendMessage",
            "SendMessageSimple",
            "UpdateMessage",
            "DeleteMessage",
            "DeleteMessages",
            "SendBulk",
            "GetBulk",
            "SendToProfiles",
            "GetSendJob",
            "CancelSendJob",
            "GetAppSettings",
            "UpdateAppSettings",
            "RevokeTokens",
            "EraseProfile",
            "GetErasure",
            "EraseApp",
            "ExportProfile",
            "ListAudit",
        ]
    );
}

#[test]
fn reflection_hands_out_the_comments_of_the_contract() {
    for descriptor_set in [MESSAGING_DESCRIPTOR_SET, SYS_DESCRIPTOR_SET] {
        let pool = pool(descriptor_set);
        for name in own_files(&pool) {
            let file = pool.get_file_by_name(&name).expect("a file of the set");
            assert!(has_comments(&file), "{name} has no comments");
        }
    }
}
