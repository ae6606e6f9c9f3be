//! Columns: which Rust values a table's columns hold, named once for reading and writing.

use bytes::Bytes;
use domain::audit::{AuditKeyId, AuditKind};
use domain::bulk::MessageChange;
use domain::content::ContentKind;
use domain::conversation::DistinctKey;
use domain::segment::{JobId, JobState};
use domain::{
    Audience, ConversationId, ErasurePhase, MessageId, MessageKind, Metadata, Millis, Msgbox,
    ProfileId, Settings,
};
use uuid::Uuid;

use super::bind::Value;
use super::dialect::Kind;

/// A column of the rows `R` that are written to a table.
pub struct Column<R> {
    pub name: &'static str,
    pub kind: Kind,
    pub role: Role,
    /// Returns the value of a row.
    pub encode: fn(&R) -> Value,
}

/// The part of a column in statements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Part of the primary key: inserted, and compared by updates and deletes.
    Key,
    /// Inserted, never updated.
    Fixed,
    /// Inserted and updated.
    Mutable,
}

/// A Rust type that a column can hold.
pub trait ColumnValue: Sized {
    /// The kind of the column.
    const KIND: Kind;

    /// Returns the stored value.
    fn encode(&self) -> Value;

    /// Parses a stored value; none if it is malformed, or null where that is not allowed.
    fn decode(value: Value) -> Option<Self>;
}

impl<T: ColumnValue> ColumnValue for Option<T> {
    const KIND: Kind = T::KIND;

    fn encode(&self) -> Value {
        self.as_ref()
            .map_or(Value::null(Self::KIND), ColumnValue::encode)
    }

    fn decode(value: Value) -> Option<Self> {
        if value.is_null() {
            return Some(None);
        }
        T::decode(value).map(Some)
    }
}

impl<const N: usize> ColumnValue for [u8; N] {
    const KIND: Kind = Kind::Bytes;

    fn encode(&self) -> Value {
        self.as_slice().into()
    }

    fn decode(value: Value) -> Option<Self> {
        match value {
            Value::Bytes(Some(stored)) => stored.try_into().ok(),
            _ => None,
        }
    }
}

/// Implements [`ColumnValue`] by an expression for each direction.
macro_rules! column_values {
    ($($type:ty: $kind:ident, |$value:ident| $encode:expr, |$stored:ident| $decode:expr;)+) => { $(
        impl ColumnValue for $type {
            const KIND: Kind = Kind::$kind;

            fn encode(&self) -> Value {
                let $value = self;
                Value::$kind(Some($encode))
            }

            fn decode(value: Value) -> Option<Self> {
                match value {
                    Value::$kind(Some($stored)) => $decode,
                    _ => None,
                }
            }
        }
    )+ };
}

column_values! {
    i64: Int, |value| *value, |stored| Some(stored);
    u32: Int, |value| i64::from(*value), |stored| stored.try_into().ok();
    bool: Int, |value| i64::from(*value), |stored| Some(stored != 0);
    Millis: Int, |value| value.0, |stored| Some(Self(stored));
    Msgbox: Int, |value| value.code(), |stored| Self::from_code(stored);
    MessageKind: Int, |value| value.code(), |stored| Self::from_code(stored);
    ContentKind: Int, |value| value.code(), |stored| Self::from_code(stored);
    MessageChange: Int, |value| value.code(), |stored| Self::from_code(stored);
    AuditKeyId: Int, |value| value.0, |stored| Some(Self(stored));
    AuditKind: Int, |value| value.code(), |stored| Self::from_code(stored);
    Audience: Int, |value| value.code(), |stored| Self::from_code(stored);
    ErasurePhase: Int, |value| value.code(), |stored| Self::from_code(stored);
    JobState: Int, |value| value.code(), |stored| Self::from_code(stored);
    String: Text, |value| value.clone(), |stored| Some(stored);
    ProfileId: Text, |value| value.as_str().to_owned(), |stored| Self::parse(&stored).ok();
    Vec<ProfileId>: Text, |value| recipients_text(value), |stored| parse_recipients(&stored);
    Settings: Text,
        |value| serde_json::to_string(value).expect("settings have no map keys that are no strings"),
        |stored| serde_json::from_str(&stored).ok();
    Vec<u8>: Bytes, |value| value.clone(), |stored| Some(stored);
    Bytes: Bytes, |value| value.to_vec(), |stored| Some(stored.into());
    Uuid: Uuid, |value| *value, |stored| Some(stored);
    MessageId: Uuid, |value| value.uuid(), |stored| Some(Self::new(stored));
    JobId: Uuid, |value| value.uuid(), |stored| Some(Self::new(stored));
    ConversationId: Uuid, |value| value.uuid(), |stored| Some(Self::new(stored));
    Metadata: Text, |value| value.encode(), |stored| Self::decode(&stored);
    DistinctKey: Bytes, |value| value.0.to_vec(), |stored| stored.try_into().ok().map(Self);
}

/// Returns recipients as stored text: each between line feeds, so that one can be searched for.
pub fn recipients_text(to: &[ProfileId]) -> String {
    let mut text = String::from("\n");
    for recipient in to {
        text.push_str(recipient.as_str());
        text.push('\n');
    }
    text
}

/// Returns the text to search for in stored recipients.
pub fn recipient_needle(profile: &ProfileId) -> String {
    format!("\n{profile}\n")
}

/// Parses stored recipients.
pub fn parse_recipients(text: &str) -> Option<Vec<ProfileId>> {
    let parsed: Result<Vec<ProfileId>, _> = text
        .split('\n')
        .filter(|piece| !piece.is_empty())
        .map(ProfileId::parse)
        .collect();
    parsed.ok()
}

/// The name of a column: that of its variable, unless another is given.
macro_rules! column_name {
    ($variable:ident) => {
        stringify!($variable)
    };
    ($variable:ident $name:literal) => {
        $name
    };
}

/// Defines columns that are only written: a list of [`Column`]s with the value of each.
macro_rules! written_columns {
    (
        $(#[$attribute:meta])*
        static $list:ident: |$this:ident: $row:ty| {
            $($role:ident $variable:ident $(as $name:literal)?: $type:ty = $value:expr;)+
        }
    ) => {
        $(#[$attribute])*
        static $list: &[$crate::db::column::Column<$row>] = &[ $(
            $crate::db::column::Column {
                name: $crate::db::column::column_name!($variable $($name)?),
                kind: <$type as $crate::db::column::ColumnValue>::KIND,
                role: $crate::db::column::Role::$role,
                encode: |$this| {
                    // Some columns are the same in all rows.
                    let _ = $this;
                    <$type as $crate::db::column::ColumnValue>::encode(&$value)
                },
            }
        ),+ ];
    };
}

/// Defines the columns of a table that are written and read, in one list:
///
/// - the [`Column`]s, with the value of each in a row that is written;
/// - a macro with their names, for the select list of a statement, of a table alias;
/// - a method of [`RowReader`](crate::db::row::RowReader) that reads them in the same order,
///   each into a variable, and builds the result of those. `Err` names a column that does not
///   agree with the others.
macro_rules! columns {
    (
        $(#[$attribute:meta])*
        static $list:ident of $table:literal: |$this:ident: $row:ty| {
            $first_role:ident $first:ident $(as $first_name:literal)?: $first_type:ty = $first_value:expr;
            $($role:ident $variable:ident $(as $name:literal)?: $type:ty = $value:expr;)*
        }
        $(read only { $($read:ident: $read_type:ty;)+ })?
        select $select:ident from $alias:literal;
        fn $method:ident() -> $built:ty { $build:expr }
    ) => {
        $crate::db::column::written_columns! {
            $(#[$attribute])*
            static $list: |$this: $row| {
                $first_role $first $(as $first_name)?: $first_type = $first_value;
                $($role $variable $(as $name)?: $type = $value;)*
            }
        }

        /// The names of the columns for a select list.
        macro_rules! $select {
            () => {
                concat!(
                    $alias, ".", $crate::db::column::column_name!($first $($first_name)?),
                    $(", ", $alias, ".", $crate::db::column::column_name!($variable $($name)?),)*
                    $($(", ", $alias, ".", stringify!($read),)+)?
                )
            };
        }

        impl<DB: $crate::db::backend::Backend> $crate::db::row::RowReader<DB> {
            /// Reads the columns of the select list.
            pub fn $method(&mut self) -> Result<$built, storage::Error> {
                let $first: $first_type = self.column(
                    $table,
                    $crate::db::column::column_name!($first $($first_name)?),
                )?;
                $(let $variable: $type = self.column(
                    $table,
                    $crate::db::column::column_name!($variable $($name)?),
                )?;)*
                $($(let $read: $read_type = self.column($table, stringify!($read))?;)+)?
                let built: Result<$built, &'static str> = $build;
                built.map_err(|column| self.corrupt($table, column))
            }
        }
    };
}

pub(crate) use {column_name, columns, written_columns};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recipients_survive_storage_and_match_whole_ids_only() {
        let to: Vec<ProfileId> = ["ab", "b"]
            .map(|id| ProfileId::parse(id).expect("an id"))
            .into();
        let text = recipients_text(&to);
        assert_eq!(parse_recipients(&text), Some(to.clone()));
        let a = ProfileId::parse("a").expect("an id");
        assert!(text.contains(&recipient_needle(&to[0])) && !text.contains(&recipient_needle(&a)));
        assert_eq!(parse_recipients(&recipients_text(&[])), Some(Vec::new()));
    }
}
