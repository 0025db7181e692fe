//! Address lists from files.

use ipnet::IpNet;

use super::Gatherer;
use crate::config::{network, quoted, raw::IpList};

impl Gatherer<'_> {
    /// Reads `[ip_lists.NAME]`.
    pub(super) fn list(&self, name: &str, list: &IpList) -> Option<Vec<IpNet>> {
        let name = quoted(name);
        let Some(path) = &list.file else {
            let key = format_args!("ip_lists.{name}.file");
            self.problems.missing(key, "the list itself", "file = \"list.json\"");
            return None;
        };
        let bytes = self.file(format_args!("ip_lists.{name}.file"), path)?;
        let refuse = |why: String| {
            let path = self.disk.resolve(path);
            let text = format!("{}: {why}", path.display());
            self.problems.error(format_args!("ip_lists.{name}.file"), text);
        };
        let texts = match texts(&bytes, list.pointer.as_deref()) {
            Ok(texts) => texts,
            Err(why) => {
                refuse(why);
                return None;
            }
        };
        let mut networks = Vec::with_capacity(texts.len());
        for text in &texts {
            match network::parse(text) {
                Ok(network) => networks.push(network),
                Err(wrong) => {
                    refuse(wrong.message);
                    return None;
                }
            }
        }
        if networks.is_empty() {
            refuse("the list is empty".to_owned());
            return None;
        }
        Some(networks)
    }
}

/// The networks as they are written in a JSON document, or one a line.
fn texts(bytes: &[u8], pointer: Option<&str>) -> Result<Vec<String>, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "not UTF-8".to_owned())?;
    if pointer.is_none() && !text.trim_start().starts_with(['[', '{']) {
        let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
        return Ok(lines.filter(|line| !line.is_empty()).map(str::to_owned).collect());
    }
    let document: serde_json::Value =
        serde_json::from_str(text).map_err(|error| format!("no JSON: {error}"))?;
    let pointer = pointer.unwrap_or_default();
    let array = document.pointer(pointer).and_then(serde_json::Value::as_array);
    let array = array.ok_or_else(|| format!("there is no array at {pointer:?}"))?;
    let texts = array.iter().map(|item| item.as_str().map(str::to_owned));
    texts.collect::<Option<_>>().ok_or_else(|| format!("the array at {pointer:?} holds no texts"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_shapes() {
        let want = ["10.0.0.0/8", "192.0.2.1"];
        let lines = b"# ours\n10.0.0.0/8\n\n192.0.2.1  # one\n";
        assert_eq!(texts(lines, None).unwrap(), want);
        assert_eq!(texts(br#"["10.0.0.0/8", "192.0.2.1"]"#, None).unwrap(), want);
        let nested = br#"{"a": {"b/c": ["10.0.0.0/8", "192.0.2.1"]}}"#;
        assert_eq!(texts(nested, Some("/a/b~1c")).unwrap(), want);
        assert!(texts(nested, None).is_err() && texts(nested, Some("/x")).is_err());
        assert!(texts(b"[1]", None).is_err() && texts(b"\xff", None).is_err());
    }
}
