//! `google.protobuf.Value` as JSON.

use bytes::Bytes;
use domain::limits::JSON_DEPTH_MAX;
use prost::Message as _;
use prost_types::value::Kind;
use prost_types::{NullValue, Value};
use serde_json::{Map, Number, Value as Json};

/// Maximum depth of the conversion. Deeper lists and objects become empty: their depth makes the
/// domain reject the value, and the recursion stays bounded.
const DEPTH_WALKED_MAX: usize = JSON_DEPTH_MAX + 1;

/// Encodes a value. Equal values have equal encodings.
pub fn encode(value: &Value) -> Bytes {
    value.encode_to_vec().into()
}

/// Decodes a value, and returns its JSON and its encoding.
///
/// # Errors
/// The reason why it has no JSON.
pub fn decode(encoded: Bytes) -> Result<(Json, Bytes), &'static str> {
    let value = Value::decode(encoded).map_err(|_| "is no value, or nests too deep")?;
    let again = encode(&value);
    Ok((self::value(value, 1)?, again))
}

/// Returns the JSON of a value at a depth, which counts from 1.
fn value(value: Value, depth: usize) -> Result<Json, &'static str> {
    let too_deep = depth >= DEPTH_WALKED_MAX;
    match value.kind.ok_or("has a value without a kind")? {
        Kind::NullValue(number) if number == NullValue::NullValue as i32 => Ok(Json::Null),
        Kind::NullValue(_) => Err("has a null value of a number that is not known"),
        Kind::BoolValue(value) => Ok(Json::Bool(value)),
        Kind::NumberValue(number) => Number::from_f64(number)
            .map(Json::Number)
            .ok_or("has a number that is not finite"),
        Kind::StringValue(text) => Ok(Json::String(text)),
        Kind::ListValue(_) if too_deep => Ok(Json::Array(Vec::new())),
        Kind::StructValue(_) if too_deep => Ok(Json::Object(Map::new())),
        Kind::ListValue(list) => {
            let items = list.values.into_iter();
            items.map(|item| self::value(item, depth + 1)).collect()
        }
        Kind::StructValue(object) => {
            let fields = object.fields.into_iter();
            fields
                .map(|(name, field)| Ok((name, self::value(field, depth + 1)?)))
                .collect::<Result<Map<_, _>, _>>()
                .map(Json::Object)
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::Violations;
    use prost_types::{ListValue, Struct};
    use proto::v1;
    use serde_json::json;

    use super::*;

    fn list(values: Vec<Value>) -> Value {
        Kind::ListValue(ListValue { values }).into()
    }

    fn number(number: f64) -> Value {
        Kind::NumberValue(number).into()
    }

    #[test]
    fn every_kind_of_value_has_json() {
        let fields = [
            (
                "b".to_owned(),
                list(vec![number(0.5), Kind::NullValue(0).into()]),
            ),
            ("a".to_owned(), Kind::BoolValue(true).into()),
        ];
        let object = Kind::StructValue(Struct {
            fields: fields.into(),
        });
        assert_eq!(
            value(object.into(), 1),
            Ok(json!({"a": true, "b": [0.5, null]}))
        );
    }

    #[test]
    fn values_without_json_are_rejected_at_any_depth() {
        for bad in [
            number(f64::NAN),
            number(f64::INFINITY),
            Value { kind: None },
            Kind::NullValue(7).into(),
        ] {
            assert!(value(list(vec![bad]), 1).is_err());
        }
    }

    #[test]
    fn values_beyond_the_converted_depth_are_rejected() {
        for (depth, accepted) in [
            (JSON_DEPTH_MAX, true),
            (JSON_DEPTH_MAX + 1, false),
            (90, false),
        ] {
            let nested = (1..depth).fold(list(vec![]), |inner, _| list(vec![inner]));
            let content = v1::Content {
                body: Some(v1::content::Body::Json(encode(&nested))),
            };
            let mut violations = Violations::none();
            let parsed = super::super::parse(Some(content), &mut violations);
            assert_eq!(parsed.is_some(), accepted, "{depth} deep");
        }
    }
}
