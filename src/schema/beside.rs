//! Which file a reference means: one beside the schema, or none.

use std::path::{Component, Path, PathBuf};

/// The URI that stands for the directory of the schema. Nothing on a network answers to it, and its
/// depth makes a `..` that leaves the directory visible after the URI was normalised.
const ROOT: &str = "schema-directory:///of/this/route/";

/// The directory of a schema, as references see it.
#[derive(Debug)]
pub(super) struct Directory {
    path: PathBuf,
    /// The directory part of the schema's own absolute `$id`, which stands for the same files.
    id_root: Option<String>,
}

impl Directory {
    /// The directory of the schema in `file`, whose `$id` is this.
    pub(super) fn of(file: &Path, id: Option<&str>) -> Self {
        let path = file.parent().map(Path::to_owned).unwrap_or_default();
        let id_root = id
            .filter(|id| id.contains("://") && !id.starts_with(ROOT))
            .and_then(|id| id.rsplit_once('/'))
            .map(|(directory, _)| format!("{directory}/"));
        Self { path, id_root }
    }

    /// The URI under which the schema file itself is known.
    pub(super) fn uri_of(file: &Path) -> String {
        let name = file.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
        let mut uri = ROOT.to_owned();
        for byte in name.bytes() {
            match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                    uri.push(char::from(byte));
                }
                other => uri.push_str(&format!("%{other:02X}")),
            }
        }
        uri
    }

    /// The file that a resolved reference means.
    pub(super) fn file(&self, uri: &str) -> Result<PathBuf, String> {
        let uri = uri.split_once('#').map_or(uri, |(resource, _)| resource);
        let below_id = self.id_root.as_deref().and_then(|root| uri.strip_prefix(root));
        let Some(relative) = uri.strip_prefix(ROOT).or(below_id) else {
            return Err(if uri.starts_with("schema-directory:") {
                "a reference leaves the schema's own directory, which is not allowed; put the \
                 file beside the schema"
                    .to_owned()
            } else {
                format!(
                    "refers to {uri}, which is remote; nothing is fetched: save the file beside \
                     the schema and refer to it by its name"
                )
            });
        };
        let relative = percent_decode(relative)
            .ok_or_else(|| format!("refers to {relative}, which is not a file name"))?;
        let plain =
            Path::new(&relative).components().all(|part| matches!(part, Component::Normal(_)));
        if relative.is_empty() || !plain || relative.contains(['\\', '\0', '?']) {
            return Err(format!("refers to {relative:?}, which is not a file beside the schema"));
        }
        Ok(self.path.join(relative))
    }
}

fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let high = char::from(bytes.next()?).to_digit(16)?;
            let low = char::from(bytes.next()?).to_digit(16)?;
            decoded.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            decoded.push(byte);
        }
    }
    String::from_utf8(decoded).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory(id: Option<&str>) -> Directory {
        Directory::of(Path::new("conf/schemas/stripe.json"), id)
    }

    #[test]
    fn files_beside_and_below_are_found() {
        let here = directory(None);
        assert_eq!(here.file(&format!("{ROOT}a.json#/x")), Ok("conf/schemas/a.json".into()));
        assert_eq!(
            here.file(&format!("{ROOT}sub/a%20b.json")),
            Ok("conf/schemas/sub/a b.json".into())
        );
    }

    #[test]
    fn nothing_outside_is_found() {
        let here = directory(Some("https://example.com/s/stripe.json"));
        for uri in [
            "schema-directory:///of/this/a.json",
            "schema-directory:///etc/passwd",
            "file:///etc/passwd",
            "https://example.com/a.json",
            "https://example.com/s/%2e%2e/a.json",
            "https://example.com/s//etc/passwd",
            "schema-directory:///of/this/route/%2Fetc/passwd",
            "schema-directory:///of/this/route/..%2F..%2Fa",
            "schema-directory:///of/this/route/a%5C..%5Cb",
            "schema-directory:///of/this/route/%00",
            "schema-directory:///of/this/route/%zz",
            "schema-directory:///of/this/route/",
        ] {
            assert!(here.file(uri).is_err(), "{uri}");
        }
    }

    #[test]
    fn an_absolute_id_stands_for_the_directory() {
        let here = directory(Some("https://example.com/s/stripe.json"));
        assert_eq!(here.file("https://example.com/s/a.json"), Ok("conf/schemas/a.json".into()));
    }
}
