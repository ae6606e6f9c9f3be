//! Accessors of Java. Where two fields of a message have one of the same name, the generator
//! numbers them: `getTo4List`, `getToCount5`.

use std::collections::BTreeMap;

use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{DescriptorProto, FieldDescriptorProto, FileDescriptorProto};

use super::{is_map_entry, messages, pascal};

pub fn colliding_accessors(files: &[FileDescriptorProto]) -> Vec<String> {
    let messages = messages(files);
    let maps: Vec<&str> = messages
        .iter()
        .filter(|(_, message)| is_map_entry(message))
        .map(|(name, _)| name.as_str())
        .collect();
    let mut found = Vec::new();
    for (name, message) in &messages {
        let mut owners: BTreeMap<String, &str> = BTreeMap::new();
        for (accessor, owner) in accessors(message, &maps) {
            if let Some(other) = owners.insert(accessor.clone(), owner)
                && other != owner
            {
                found.push(format!("{name}: {other} and {owner} have get{accessor}"));
            }
        }
    }
    found
}

/// Returns the accessors of a message without their `get`, each with its field or oneof.
fn accessors<'a>(message: &'a DescriptorProto, maps: &[&str]) -> Vec<(String, &'a str)> {
    let of_fields = message.field.iter().flat_map(|field| {
        let endings = endings(field, maps).iter();
        endings.map(|ending| (pascal(field.name()) + ending, field.name()))
    });
    let of_oneofs = message
        .oneof_decl
        .iter()
        .map(|oneof| (pascal(oneof.name()) + "Case", oneof.name()));
    of_fields.chain(of_oneofs).collect()
}

fn endings(field: &FieldDescriptorProto, maps: &[&str]) -> &'static [&'static str] {
    let is_repeated = field.label() == Label::Repeated;
    let is_map = maps.contains(&field.type_name().trim_start_matches('.'));
    match (is_map, is_repeated, field.r#type()) {
        (true, ..) => &["", "Count", "Map", "OrDefault", "OrThrow"],
        (false, true, Type::Message) => &[
            "",
            "Builder",
            "BuilderList",
            "Count",
            "List",
            "OrBuilder",
            "OrBuilderList",
        ],
        (false, true, Type::Enum) => &["", "Count", "List", "Value", "ValueList"],
        (false, true, Type::String) => &["", "Bytes", "Count", "List"],
        (false, true, _) => &["", "Count", "List"],
        (false, false, Type::Message) => &["", "Builder", "OrBuilder"],
        (false, false, Type::Enum) => &["", "Value"],
        (false, false, Type::String) => &["", "Bytes"],
        (false, false, _) => &[""],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::descriptors::bad_file;

    fn field(name: &str, label: Label, r#type: Type) -> FieldDescriptorProto {
        FieldDescriptorProto {
            name: Some(name.to_owned()),
            label: Some(label.into()),
            r#type: Some(r#type.into()),
            ..FieldDescriptorProto::default()
        }
    }

    fn collisions(fields: [FieldDescriptorProto; 2]) -> usize {
        colliding_accessors(&[bad_file(fields.into())]).len()
    }

    #[test]
    fn fields_with_an_accessor_of_the_same_name_are_found() {
        let number = |name| field(name, Label::Optional, Type::Uint32);
        let texts = |name| field(name, Label::Repeated, Type::String);
        let message = |name| field(name, Label::Optional, Type::Message);
        assert_eq!(collisions([texts("to"), number("recipient_count")]), 0);
        assert_eq!(collisions([texts("to"), number("to_count")]), 1);
        assert_eq!(collisions([texts("to"), number("to_list")]), 1);
        assert_eq!(collisions([message("page"), number("page_builder")]), 1);
        assert_eq!(collisions([number("page_2"), number("page2")]), 1);
    }
}
