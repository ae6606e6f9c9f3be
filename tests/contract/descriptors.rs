//! Rules over the descriptors, so that generated code compiles in every language and decodes
//! what any runtime encodes.

mod java;
mod maps;
mod names;
mod options;

use prost_types::{DescriptorProto, FieldDescriptorProto, FileDescriptorProto, MessageOptions};

use super::files;

/// A rule: returns each element that violates it, with the reason.
type Rule = fn(&[FileDescriptorProto]) -> Vec<String>;

const RULES: [Rule; 5] = [
    maps::of_messages,
    names::reserved_words,
    java::colliding_accessors,
    options::missing,
    options::colliding_classes,
];

#[test]
fn the_contract_violates_no_rule() {
    let files = files();
    assert!(files.len() > 5, "{}", files.len());
    for rule in RULES {
        assert_eq!(rule(&files), [""; 0]);
    }
}

/// Returns all messages of the files with their full names, nested ones too.
pub fn messages(files: &[FileDescriptorProto]) -> Vec<(String, &DescriptorProto)> {
    let mut found = Vec::new();
    for file in files {
        for message in &file.message_type {
            nested(file.package(), message, &mut found);
        }
    }
    found
}

fn nested<'a>(
    scope: &str,
    message: &'a DescriptorProto,
    found: &mut Vec<(String, &'a DescriptorProto)>,
) {
    let name = format!("{scope}.{}", message.name());
    for inner in &message.nested_type {
        nested(&name, inner, found);
    }
    found.push((name, message));
}

fn is_map_entry(message: &DescriptorProto) -> bool {
    let options = message.options.as_ref();
    options.is_some_and(MessageOptions::map_entry)
}

/// `snake_case` as `PascalCase`, as generators spell it.
fn pascal(name: &str) -> String {
    let mut spelt = String::new();
    let mut starts_word = true;
    for letter in name.chars() {
        if letter == '_' {
            starts_word = true;
        } else if starts_word {
            spelt.push(letter.to_ascii_uppercase());
            starts_word = false;
        } else {
            spelt.push(letter);
            starts_word = letter.is_ascii_digit();
        }
    }
    spelt
}

/// `snake_case` as `camelCase`.
fn camel(name: &str) -> String {
    let spelt = pascal(name);
    let mut letters = spelt.chars();
    let first = letters.next().map(|letter| letter.to_ascii_lowercase());
    first.into_iter().chain(letters).collect()
}

/// Returns a file with one message `Bad` that has these fields.
fn bad_file(fields: Vec<FieldDescriptorProto>) -> FileDescriptorProto {
    let message = DescriptorProto {
        name: Some("Bad".to_owned()),
        field: fields,
        ..DescriptorProto::default()
    };
    FileDescriptorProto {
        package: Some("bad".to_owned()),
        message_type: vec![message],
        ..FileDescriptorProto::default()
    }
}
