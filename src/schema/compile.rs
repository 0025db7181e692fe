//! From text to validator, reading what is referred to on the way.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use jsonschema::{Draft, PatternOptions, Retrieve, Uri, ValidationError, Validator};
use serde_json::Value;

use super::{beside::Directory, bounded};

/// Files that one schema may be made of.
const MAX_FILES: usize = 64;
/// Bytes of one file.
const MAX_FILE_BYTES: usize = 4 << 20;
/// Bytes of one compiled pattern, and of its cache at run time.
const MAX_PATTERN_BYTES: usize = 1 << 20;

pub(super) fn compile(
    path: &Path,
    text: &[u8],
    read: &dyn Fn(&Path) -> std::io::Result<Vec<u8>>,
) -> Result<(Validator, Vec<PathBuf>), String> {
    let root = parse(text)?;
    let directory = Directory::of(path, id_of(&root));
    let known = Arc::new(Known::default());
    let base = Directory::uri_of(path);
    known.documents().insert(base.clone(), root.clone());
    let mut files = Vec::new();
    loop {
        let outcome = jsonschema::options()
            .with_base_uri(base.clone())
            .with_retriever(Lookup(Arc::clone(&known)))
            .with_pattern_options(
                PatternOptions::regex()
                    .size_limit(MAX_PATTERN_BYTES)
                    .dfa_size_limit(MAX_PATTERN_BYTES),
            )
            .build(&root);
        // The library asks for one missing document after the other; each is read and tried again.
        let missing = known.take_missing();
        let error = match outcome {
            Ok(validator) => {
                files.sort();
                return Ok((validator, files));
            }
            Err(error) if missing.is_empty() => return Err(invalid(&error)),
            Err(error) => error,
        };
        for uri in missing {
            let file = directory.file(&uri)?;
            if files.contains(&file) || files.len() >= MAX_FILES {
                return Err(invalid(&error));
            }
            let name = file.display().to_string();
            let bytes = read(&file).map_err(|error| format!("refers to {name}: {error}"))?;
            let document = parse(&bytes).map_err(|error| format!("{name}: {error}"))?;
            known.documents().insert(uri, document);
            files.push(file);
        }
    }
}

fn parse(text: &[u8]) -> Result<Value, String> {
    if text.len() > MAX_FILE_BYTES {
        return Err(format!("is {} bytes long; at most {MAX_FILE_BYTES} are read", text.len()));
    }
    let value: Value =
        serde_json::from_slice(text).map_err(|error| format!("is not JSON: {error}"))?;
    if !matches!(value, Value::Object(_) | Value::Bool(_)) {
        return Err("is not a schema: a schema is an object, true or false".to_owned());
    }
    if let Some(draft) = value.get("$schema").and_then(Value::as_str)
        && Draft::from_schema_uri(draft) == Draft::Unknown
    {
        return Err(format!(
            "$schema is {:?}, which is none of the drafts 4, 6, 7, 2019-09 and 2020-12",
            bounded(draft, 100)
        ));
    }
    Ok(value)
}

fn id_of(schema: &Value) -> Option<&str> {
    schema.get("$id").or_else(|| schema.get("id")).and_then(Value::as_str)
}

fn invalid(error: &ValidationError<'_>) -> String {
    let place = error.instance_path().as_str();
    let place = if place.is_empty() { "its root" } else { place };
    bounded(&format!("is not a valid schema: at {place}: {error}"), 400)
}

/// Every document that was read so far, and what was asked for in vain.
#[derive(Debug, Default)]
struct Known {
    documents: Mutex<BTreeMap<String, Value>>,
    missing: Mutex<Vec<String>>,
}

impl Known {
    fn documents(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Value>> {
        self.documents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_missing(&self) -> Vec<String> {
        std::mem::take(&mut *self.missing.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

struct Lookup(Arc<Known>);

impl Retrieve for Lookup {
    fn retrieve(
        &self,
        uri: &Uri<String>,
    ) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
        let uri = uri.as_str();
        if let Some(document) = self.0.documents().get(uri) {
            return Ok(document.clone());
        }
        self.0.missing.lock().unwrap_or_else(PoisonError::into_inner).push(uri.to_owned());
        Err("not read yet".into())
    }
}
