//! Configuration in three stages: raw tables, what the program believes, the running snapshot.
//!
//! [`load`] goes from a file's name to a [`model::Config`]: it reads the tables as written
//! ([`raw`]), follows `include`, reads what they name (secrets, certificates, schemas, address
//! lists) and makes the checked model. All [`Problem`]s are collected, each with its place.

mod checked;
mod disk;
mod json_schema;
mod keymap;
pub mod lint;
mod load;
mod material;
pub mod model;
pub mod policy;
mod problem;
mod problems;
pub mod raw;
mod read;
mod redact;
mod source;

pub use self::{
    json_schema::json_schema,
    keymap::{KeyMap, quoted},
    load::{Env, LoadOptions, Loaded, Secrets, load, named, sources},
    problem::{Place, Problem, Severity, listed},
};

#[cfg(test)]
mod example_tests;

#[cfg(test)]
mod tests;
