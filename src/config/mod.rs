//! Configuration in three stages: raw tables, what the program believes, the running snapshot.
//!
//! [`load`] goes from a file's name to a [`model::Config`]: it reads the tables as written
//! ([`raw`]), follows `include`, reads what they name (secrets, certificates, schemas, address
//! lists) and makes the checked model. All [`Problem`]s are collected, each with its place.

mod keymap;
mod load;
pub mod model;
mod problem;
pub mod raw;
mod source;

pub use self::{
    keymap::{KeyMap, quoted},
    load::{Env, LoadOptions, Loaded, Secrets, load},
    problem::{Place, Problem, Severity},
};
