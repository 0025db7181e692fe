//! Configuration in three stages: raw tables, what the program believes, the running snapshot.

pub mod model;
