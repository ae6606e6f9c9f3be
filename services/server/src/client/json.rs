//! Conversion of JSON values from and to `google.protobuf.Value`.

use prost::{DecodeError, Message as _};
use prost_types::value::Kind;
use prost_types::{ListValue, Struct, Value};
use proto::v1::Content;
use proto::v1::content::Body;
use serde_json::Value as Json;

/// Encodes a JSON value as a content.
pub fn encode(json: Json) -> Content {
    Content {
        body: Some(Body::Json(to_proto(json).encode_to_vec().into())),
    }
}

/// Decodes the JSON value of a content.
///
/// # Errors
/// If the bytes are not an encoded value.
pub fn decode(encoded: &[u8]) -> Result<Json, DecodeError> {
    Value::decode(encoded).map(|value| to_json(&value))
}

fn to_proto(json: Json) -> Value {
    let kind = match json {
        Json::Null => Kind::NullValue(0),
        Json::Bool(value) => Kind::BoolValue(value),
        Json::Number(value) => Kind::NumberValue(value.as_f64().unwrap_or(f64::NAN)),
        Json::String(value) => Kind::StringValue(value),
        Json::Array(values) => Kind::ListValue(ListValue {
            values: values.into_iter().map(to_proto).collect(),
        }),
        Json::Object(fields) => {
            let fields = fields
                .into_iter()
                .map(|(name, value)| (name, to_proto(value)));
            Kind::StructValue(Struct {
                fields: fields.collect(),
            })
        }
    };
    Value { kind: Some(kind) }
}

fn to_json(value: &Value) -> Json {
    match &value.kind {
        None | Some(Kind::NullValue(_)) => Json::Null,
        Some(Kind::BoolValue(value)) => Json::Bool(*value),
        Some(Kind::NumberValue(value)) => number(*value),
        Some(Kind::StringValue(value)) => Json::String(value.clone()),
        Some(Kind::ListValue(list)) => list.values.iter().map(to_json).collect(),
        Some(Kind::StructValue(object)) => object
            .fields
            .iter()
            .map(|(name, value)| (name.clone(), to_json(value)))
            .collect(),
    }
}

/// Converts a number, which is a double on the wire; a whole one becomes an integer.
fn number(value: f64) -> Json {
    /// Largest number below which a double holds every integer: 2^53.
    const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;
    if value.fract() != 0.0 || value.abs() > WHOLE_MAX {
        return Json::from(value);
    }
    #[expect(clippy::cast_possible_truncation, reason = "whole, and within bounds")]
    Json::from(value as i64)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_json_value_survives_the_conversion() {
        let json = json!({"text": "hi", "tags": [true, null, 1.5, -2, 1e300], "deep": {"er": {}}});
        assert_eq!(to_json(&to_proto(json.clone())), json);
    }
}
