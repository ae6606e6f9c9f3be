//! Options of files, which name packages, namespaces and classes of generated code.

use std::collections::BTreeSet;

use prost_types::{
    DescriptorProto, EnumDescriptorProto, FileDescriptorProto, ServiceDescriptorProto,
};

/// Finds files that lack an option.
pub fn missing(files: &[FileDescriptorProto]) -> Vec<String> {
    let lacking = files.iter().flat_map(|file| {
        let options = file.options.clone().unwrap_or_default();
        let values = [
            ("csharp_namespace", options.csharp_namespace),
            ("go_package", options.go_package),
            ("java_outer_classname", options.java_outer_classname),
            ("java_package", options.java_package),
            ("objc_class_prefix", options.objc_class_prefix),
            ("php_metadata_namespace", options.php_metadata_namespace),
            ("php_namespace", options.php_namespace),
            ("ruby_package", options.ruby_package),
            ("swift_prefix", options.swift_prefix),
        ];
        let empty = values
            .into_iter()
            .filter(|(_, value)| value.as_ref().is_none_or(String::is_empty))
            .map(|(name, _)| name);
        let is_one_file = options.java_multiple_files != Some(true);
        let one_file = is_one_file.then_some("java_multiple_files");
        let names = empty.chain(one_file);
        names.map(|name| format!("{}: {name}", file.name()))
    });
    lacking.collect()
}

/// Finds classes that have one name: Objective-C has no name spaces, and Java puts the outer
/// class of a file beside its messages.
pub fn colliding_classes(files: &[FileDescriptorProto]) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let classes = files.iter().flat_map(|file| {
        let options = file.options.clone().unwrap_or_default();
        let prefix = options.objc_class_prefix().to_owned();
        let package = options.java_package().to_owned();
        let outer = format!("Java {package}.{}", options.java_outer_classname());
        let messages = file.message_type.iter().map(DescriptorProto::name);
        let enums = file.enum_type.iter().map(EnumDescriptorProto::name);
        let services = file.service.iter().map(ServiceDescriptorProto::name);
        let in_both = messages.chain(enums).chain(services).flat_map(move |name| {
            [
                format!("Objective-C {prefix}{name}"),
                format!("Java {package}.{name}"),
            ]
        });
        in_both.chain([outer])
    });
    classes
        .filter(|class| !seen.insert(class.clone()))
        .collect()
}

#[cfg(test)]
mod tests {
    use prost_types::FileOptions;

    use super::*;
    use crate::contract::descriptors::bad_file;
    use crate::contract::files;

    #[test]
    fn a_file_that_lacks_an_option_is_found() {
        let remove: [fn(&mut FileOptions); 10] = [
            |it| it.csharp_namespace = None,
            |it| it.go_package = None,
            |it| it.java_multiple_files = None,
            |it| it.java_outer_classname = None,
            |it| it.java_package = None,
            |it| it.objc_class_prefix = None,
            |it| it.php_metadata_namespace = None,
            |it| it.php_namespace = None,
            |it| it.ruby_package = None,
            |it| it.swift_prefix = Some(String::new()),
        ];
        let mut file = files().remove(0);
        for remove in remove {
            let options = file.options.clone();
            remove(file.options.as_mut().expect("options"));
            assert_eq!(missing(std::slice::from_ref(&file)).len(), 1);
            file.options = options;
        }
        assert_eq!(missing(&[bad_file(Vec::new())]).len(), 10);
    }

    #[test]
    fn classes_of_one_name_are_found() {
        let [one, mut other] = [(); 2].map(|()| bad_file(Vec::new()));
        assert_eq!(
            colliding_classes(&[one.clone(), other.clone()]),
            ["Objective-C Bad", "Java .Bad", "Java ."]
        );
        other.options = Some(FileOptions {
            objc_class_prefix: Some("OTHER".to_owned()),
            java_package: Some("other".to_owned()),
            java_outer_classname: Some("Bad".to_owned()),
            ..FileOptions::default()
        });
        assert_eq!(colliding_classes(&[one, other]), ["Java other.Bad"]);
    }
}
