//! Comments of the contract, as the descriptors carry them.

use std::collections::BTreeMap;

use prost_types::{
    DescriptorProto, EnumDescriptorProto, EnumValueDescriptorProto, FieldDescriptorProto,
    FileDescriptorProto, MethodDescriptorProto, OneofDescriptorProto,
};

/// Numbers of fields in descriptors, of which the paths of locations consist.
mod number {
    pub const MESSAGE: i32 = 4;
    pub const ENUM: i32 = 5;
    pub const SERVICE: i32 = 6;
    pub const SYNTAX: i32 = 12;
    pub const FIELD: i32 = 2;
    pub const NESTED_MESSAGE: i32 = 3;
    pub const NESTED_ENUM: i32 = 4;
    pub const ONEOF: i32 = 8;
    pub const VALUE: i32 = 2;
    pub const METHOD: i32 = 2;
}

/// A comment on one line.
#[derive(Debug)]
pub struct Comment {
    /// The full name of its element; of a file, its path.
    pub element: String,
    pub text: String,
}

/// Returns the comments of a file, each with the element that it stands before.
pub fn of(file: &FileDescriptorProto) -> Vec<Comment> {
    let info = file.source_code_info.as_ref();
    let locations = info.map_or(&[][..], |info| &info.location);
    let mut texts = BTreeMap::new();
    for location in locations {
        if let Some(text) = &location.leading_comments {
            let words: Vec<_> = text.split_whitespace().collect();
            texts.insert(location.path.clone(), words.join(" "));
        }
    }
    let named = names(file).into_iter();
    let commented = named.filter_map(|(path, element)| {
        let text = texts.get(&path)?.clone();
        Some(Comment { element, text })
    });
    commented.collect()
}

type ElementNames = Vec<(Vec<i32>, String)>;

/// Returns the names of all elements of a file by their paths.
fn names(file: &FileDescriptorProto) -> ElementNames {
    let mut found = vec![(vec![number::SYNTAX], file.name().to_owned())];
    for (index, message) in (0..).zip(&file.message_type) {
        let path = vec![number::MESSAGE, index];
        name_message(path, file.package(), message, &mut found);
    }
    for (index, descriptor) in (0..).zip(&file.enum_type) {
        let path = vec![number::ENUM, index];
        name_enum(path, file.package(), descriptor, &mut found);
    }
    for (index, service) in (0..).zip(&file.service) {
        let path = vec![number::SERVICE, index];
        let name = format!("{}.{}", file.package(), service.name());
        let methods = service.method.iter().map(MethodDescriptorProto::name);
        name_parts(&path, number::METHOD, &name, methods, &mut found);
        found.push((path, name));
    }
    found
}

fn name_message(path: Vec<i32>, scope: &str, message: &DescriptorProto, found: &mut ElementNames) {
    let name = format!("{scope}.{}", message.name());
    let fields = message.field.iter().map(FieldDescriptorProto::name);
    name_parts(&path, number::FIELD, &name, fields, found);
    let oneofs = message.oneof_decl.iter().map(OneofDescriptorProto::name);
    name_parts(&path, number::ONEOF, &name, oneofs, found);
    for (index, inner) in (0..).zip(&message.nested_type) {
        let path = [&path[..], &[number::NESTED_MESSAGE, index]].concat();
        name_message(path, &name, inner, found);
    }
    for (index, inner) in (0..).zip(&message.enum_type) {
        let path = [&path[..], &[number::NESTED_ENUM, index]].concat();
        name_enum(path, &name, inner, found);
    }
    found.push((path, name));
}

fn name_enum(
    path: Vec<i32>,
    scope: &str,
    descriptor: &EnumDescriptorProto,
    found: &mut ElementNames,
) {
    let name = format!("{scope}.{}", descriptor.name());
    let values = descriptor.value.iter().map(EnumValueDescriptorProto::name);
    name_parts(&path, number::VALUE, &name, values, found);
    found.push((path, name));
}

fn name_parts<'a>(
    path: &[i32],
    kind: i32,
    scope: &str,
    names: impl Iterator<Item = &'a str>,
    found: &mut ElementNames,
) {
    for (index, name) in (0..).zip(names) {
        found.push(([path, &[kind, index]].concat(), format!("{scope}.{name}")));
    }
}
