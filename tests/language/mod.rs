//! Language of the sources: names, first sentences, and links of the READMEs.

mod links;
mod sentences;
mod sources;
mod type_names;
