//! Language of the sources: type names, links of the READMEs.

mod links;
mod sources;
mod type_names;
