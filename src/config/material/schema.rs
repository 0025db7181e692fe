//! Payload schemas, each file compiled once.

use std::{fmt, path::Path, sync::Arc};

use super::Gatherer;
use crate::schema::Schema;

impl Gatherer<'_> {
    /// Reads and compiles a schema with the files that it refers to.
    pub(super) fn schema(&mut self, key: fmt::Arguments<'_>, path: &Path) -> Option<Arc<Schema>> {
        let resolved = self.disk.resolve(path);
        if let Some(known) = self.schemas.get(&resolved) {
            return known.clone();
        }
        let schema = self.file(key, path).and_then(|text| {
            match Schema::compile(&resolved, &text, &|beside| std::fs::read(beside)) {
                Ok((schema, files)) => {
                    for file in files {
                        self.disk.remember(file);
                    }
                    Some(Arc::new(schema))
                }
                Err(why) => {
                    self.problems.error(key, format_args!("{}: {why}", resolved.display()));
                    None
                }
            }
        });
        self.schemas.insert(resolved, schema.clone());
        schema
    }
}
