//! Maps. Runtimes that leave out default values write an entry without a value, and others
//! cannot decode an entry whose message is missing.

use prost_types::FileDescriptorProto;
use prost_types::field_descriptor_proto::Type;

use super::{is_map_entry, messages};

/// The number of the value among the fields of a map entry.
const VALUE: i32 = 2;

pub fn of_messages(files: &[FileDescriptorProto]) -> Vec<String> {
    let entries = messages(files).into_iter();
    let of_messages = entries.filter(|(_, entry)| {
        let mut values = entry.field.iter().filter(|field| field.number() == VALUE);
        is_map_entry(entry) && values.any(|value| value.r#type() == Type::Message)
    });
    of_messages
        .map(|(name, _)| format!("{name}: a map with message values"))
        .collect()
}

#[cfg(test)]
mod tests {
    use prost_types::{DescriptorProto, FieldDescriptorProto, MessageOptions};

    use super::*;
    use crate::contract::descriptors::bad_file;

    fn with_map_of(value: Type) -> FileDescriptorProto {
        let entry = DescriptorProto {
            name: Some("CountsEntry".to_owned()),
            field: vec![FieldDescriptorProto {
                number: Some(VALUE),
                r#type: Some(value.into()),
                ..FieldDescriptorProto::default()
            }],
            options: Some(MessageOptions {
                map_entry: Some(true),
                ..MessageOptions::default()
            }),
            ..DescriptorProto::default()
        };
        let mut file = bad_file(Vec::new());
        file.message_type[0].nested_type.push(entry);
        file
    }

    #[test]
    fn a_map_of_messages_is_found_and_one_of_strings_is_not() {
        assert_eq!(of_messages(&[with_map_of(Type::String)]), [""; 0]);
        let found = of_messages(&[with_map_of(Type::Message)]);
        assert_eq!(found, ["bad.Bad.CountsEntry: a map with message values"]);
    }
}
