//! Payload schemas: JSON Schema, compiled at load, kept behind this one module.

/// A compiled schema.
#[derive(Debug)]
pub struct Schema {}
