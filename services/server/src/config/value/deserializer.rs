//! Values as their types, by serde. Problems name the key and the source, and no value.

use std::collections::btree_map;
use std::slice;

use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IntoDeserializer, MapAccess, SeqAccess, Visitor,
};
use serde::forward_to_deserialize_any;

use super::{Data, SourcedValue, parse};
use crate::config::Problem;

impl<'de> Deserializer<'de> for &SourcedValue {
    type Error = Problem;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        let visited = match &self.data {
            Data::Text(text) => match parse(text) {
                Some(value) => SourcedValue::toml(&self.source, value).visit(visitor),
                None => visitor.visit_str(text),
            },
            _ => self.visit(visitor),
        };
        visited.map_err(|problem| problem.in_source(&self.source))
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        match &self.data {
            Data::Text(text) => visitor.visit_str(text),
            _ => self.visit(visitor),
        }
        .map_err(|problem| problem.in_source(&self.source))
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Problem> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Problem> {
        match &self.data {
            Data::Section(_) => self.deserialize_any(visitor),
            _ => {
                Err(Problem::custom("is a section of keys, and has no value")
                    .in_source(&self.source))
            }
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Problem> {
        let name = self.as_text().unwrap_or_default();
        let name: StrDeserializer<'_, Problem> = name.into_deserializer();
        visitor
            .visit_enum(name)
            .map_err(|problem| problem.in_source(&self.source))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char bytes byte_buf
        unit unit_struct seq tuple tuple_struct map identifier ignored_any
    }
}

impl SourcedValue {
    fn visit<'de, V: Visitor<'de>>(&self, visitor: V) -> Result<V::Value, Problem> {
        match &self.data {
            Data::Text(text) => visitor.visit_str(text),
            Data::Scalar(toml::Value::Boolean(value)) => visitor.visit_bool(*value),
            Data::Scalar(toml::Value::Integer(value)) => visitor.visit_i64(*value),
            Data::Scalar(toml::Value::Float(value)) => visitor.visit_f64(*value),
            Data::Scalar(toml::Value::String(value)) => visitor.visit_str(value),
            Data::Scalar(_) => Err(Problem::custom("must not be a date or a time")),
            Data::List(values) => visitor.visit_seq(Elements {
                values: values.iter(),
                index: 0,
            }),
            Data::Section(values) => visitor.visit_map(Entries {
                values: values.iter(),
                entry: None,
            }),
        }
    }
}

/// Elements of a list. Problems have the index.
struct Elements<'a> {
    values: slice::Iter<'a, SourcedValue>,
    index: usize,
}

impl<'de> SeqAccess<'de> for Elements<'_> {
    type Error = Problem;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Problem> {
        let Some(value) = self.values.next() else {
            return Ok(None);
        };
        let index = self.index.to_string();
        self.index += 1;
        seed.deserialize(value)
            .map(Some)
            .map_err(|problem| problem.under(&index))
    }
}

/// Keys of a section. Problems have the key.
struct Entries<'a> {
    values: btree_map::Iter<'a, String, SourcedValue>,
    entry: Option<(&'a str, &'a SourcedValue)>,
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = Problem;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Problem> {
        let Some((name, value)) = self.values.next() else {
            return Ok(None);
        };
        self.entry = Some((name, value));
        let name_as_value: StrDeserializer<'_, Problem> = name.as_str().into_deserializer();
        seed.deserialize(name_as_value)
            .map(Some)
            .map_err(|problem| problem.under(name).in_source(&value.source))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Problem> {
        let Some((name, value)) = self.entry.take() else {
            return Err(Problem::custom("a value without a key"));
        };
        seed.deserialize(value)
            .map_err(|problem| problem.under(name))
    }
}
