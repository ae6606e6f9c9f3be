//! Names of fields that generated code cannot use as they are.

use prost_types::{FieldDescriptorProto, FileDescriptorProto, OneofDescriptorProto};

use super::{camel, messages, pascal};

/// A language whose generator spells names in some way, and the words that are taken in it:
/// keywords, and members that every generated class has.
struct Language {
    name: &'static str,
    spell: fn(&str) -> String,
    taken: &'static str,
}

/// Java and PHP put `get` and `set` before all names: of theirs, only members collide.
const LANGUAGES: [Language; 9] = [
    Language {
        name: "Go",
        spell: pascal,
        taken: "Descriptor ProtoMessage ProtoReflect Reset String",
    },
    Language {
        name: "Java",
        spell: pascal,
        taken: "AllFields Class DefaultInstance DefaultInstanceForType DescriptorForType \
            InitializationErrorString ParserForType SerializedSize UnknownFields",
    },
    Language {
        name: "Python",
        spell: str::to_owned,
        taken: "False None True and as assert async await break class continue def del elif else \
            except finally for from global if import in is lambda nonlocal not or pass raise \
            return try while with yield",
    },
    Language {
        name: "C#",
        spell: pascal,
        taken: "CalculateSize Clone Descriptor Equals GetHashCode GetType MergeFrom Parser \
            ToString Types WriteTo",
    },
    Language {
        name: "Swift",
        spell: camel,
        taken: "Any Self as associatedtype await break case catch class continue debugDescription \
            default defer deinit description do else enum extension fallthrough false \
            fileprivate for func guard hashValue if import in init inout internal is \
            isInitialized let nil operator precedencegroup private protocol public repeat \
            rethrows return self static struct subscript super switch throw throws true try \
            typealias unknownFields var where while",
    },
    Language {
        name: "Kotlin",
        spell: camel,
        taken: "as break class continue do else false for fun if in interface is null object \
            package return super this throw true try typealias typeof val var when while",
    },
    Language {
        name: "JavaScript",
        spell: camel,
        taken: "await break case catch class const constructor continue debugger default delete \
            do else enum export extends false finally for function hasOwnProperty if import in \
            instanceof let new null prototype return static super switch this throw toJSON \
            toString true try typeof valueOf var void while with yield",
    },
    Language {
        name: "PHP",
        spell: pascal,
        taken: "CachedSize",
    },
    Language {
        name: "Ruby",
        spell: str::to_owned,
        taken: "alias and begin break case class clone def defined? do dup else elsif end ensure \
            false for freeze hash if in inspect method methods module next nil not object_id or \
            redo rescue retry return self send super then to_h to_s true undef unless until when \
            while yield",
    },
];

/// Checks the names of fields and of oneofs.
pub fn reserved_words(files: &[FileDescriptorProto]) -> Vec<String> {
    let mut found = Vec::new();
    for (message, descriptor) in messages(files) {
        let fields = descriptor.field.iter().map(FieldDescriptorProto::name);
        let oneofs = descriptor.oneof_decl.iter().map(OneofDescriptorProto::name);
        for field in fields.chain(oneofs) {
            let languages = LANGUAGES.iter().filter(|language| {
                let spelt = (language.spell)(field);
                language.taken.split_whitespace().any(|word| word == spelt)
            });
            found.extend(languages.map(|it| format!("{message}.{field}: taken in {}", it.name)));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::descriptors::bad_file;

    fn languages_of(field: &str) -> Vec<String> {
        let field = FieldDescriptorProto {
            name: Some(field.to_owned()),
            ..FieldDescriptorProto::default()
        };
        let found = reserved_words(&[bad_file(vec![field])]).into_iter();
        let language = |line: String| line.split(" in ").last().map(str::to_owned);
        found.filter_map(language).collect()
    }

    #[test]
    fn a_word_that_is_taken_in_any_language_is_found() {
        for (field, languages) in [
            ("sender", &[][..]),
            ("reset", &["Go"]),
            ("serialized_size", &["Java"]),
            ("from", &["Python"]),
            ("parser", &["C#"]),
            ("hash_value", &["Swift"]),
            ("when", &["Kotlin", "Ruby"]),
            ("delete", &["JavaScript"]),
            ("cached_size", &["PHP"]),
            ("send", &["Ruby"]),
        ] {
            assert_eq!(languages_of(field), languages, "{field}");
        }
    }
}
