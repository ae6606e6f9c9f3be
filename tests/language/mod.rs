//! Language of the sources: type names.

mod sources;
mod type_names;
