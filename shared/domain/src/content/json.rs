//! JSON contents.

use serde_json::Value;

use super::Digest;
use crate::limits::{JSON_DEPTH_MAX, JSON_NODES_MAX};
use crate::violation::{Reason, Violations};

/// Numbers of nodes and levels of a value.
#[derive(Default)]
struct Shape {
    nodes: usize,
    depth: usize,
    has_nul: bool,
}

impl Shape {
    fn visit(&mut self, value: &Value, depth: usize) {
        self.nodes += 1;
        match value {
            Value::String(text) => self.has_nul |= text.contains('\0'),
            Value::Array(items) => {
                self.depth = self.depth.max(depth);
                for item in items {
                    self.visit(item, depth + 1);
                }
            }
            Value::Object(fields) => {
                self.depth = self.depth.max(depth);
                for (name, field) in fields {
                    self.has_nul |= name.contains('\0');
                    self.visit(field, depth + 1);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

pub(super) fn check(value: &Value, field: &str, violations: &mut Violations) {
    let mut shape = Shape::default();
    shape.visit(value, 1);
    let mut refuse = |description: String| {
        violations.add(field, Reason::ContentInvalid, description);
    };
    if shape.depth > JSON_DEPTH_MAX {
        refuse(format!("nests deeper than {JSON_DEPTH_MAX}"));
    }
    if shape.nodes > JSON_NODES_MAX {
        refuse(format!("has more than {JSON_NODES_MAX} values"));
    }
    if shape.has_nul {
        refuse("has a NUL character in a string".to_owned());
    }
}

pub(super) fn digest(value: &Value) -> Digest {
    let mut hasher = blake3::Hasher::new_derive_key("postroom v1 json");
    serde_json_canonicalizer::to_writer(value, &mut hasher)
        .expect("a JSON value with finite numbers has a canonical form");
    *hasher.finalize().as_bytes()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn count_violations(value: &Value) -> usize {
        let mut violations = Violations::none();
        check(value, "content.json", &mut violations);
        violations.as_slice().len()
    }

    fn nested(depth: usize) -> Value {
        (0..depth).fold(Value::Null, |inner, _| json!([inner]))
    }

    #[test]
    fn depth_nodes_and_nul_are_bounded() {
        assert_eq!(count_violations(&nested(JSON_DEPTH_MAX)), 0);
        assert_eq!(count_violations(&nested(JSON_DEPTH_MAX + 1)), 1);
        assert_eq!(count_violations(&json!(vec![0; JSON_NODES_MAX - 1])), 0);
        assert_eq!(count_violations(&json!(vec![0; JSON_NODES_MAX])), 1);
        assert_eq!(count_violations(&json!({"a": "x\0"})), 1);
        assert_eq!(count_violations(&json!({"x\0": 1})), 1);
    }

    #[test]
    fn the_digest_is_over_the_canonical_form() {
        let canonical = br#"{"a":1,"b":[0.5,"\u20ac"]}"#;
        let value: Value = serde_json::from_slice(canonical).expect("JSON");
        let expected =
            blake3::derive_key("postroom v1 json", r#"{"a":1,"b":[0.5,"€"]}"#.as_bytes());
        assert_eq!(digest(&value), expected);
        assert_eq!(digest(&json!({"b": [0.5, "€"], "a": 1.0})), expected);
    }
}
