//! Keys that have their place in the design and come with a later version.

/// What a key will do; `None` if it is not one of these.
pub(super) fn why(path: &str) -> Option<&'static str> {
    let parts: Vec<&str> =
        path.split('.').map(|part| part.split('[').next().unwrap_or(part)).collect();
    let text = match parts.as_slice() {
        ["replay", "disk" | "path" | "directory"] => {
            "the store \"disk\" comes with a later version; there is \"memory\""
        }
        ["replay", "redis" | "url" | "urls" | "cluster" | "tls"] => {
            "the store \"redis\" comes with a later version; there is \"memory\""
        }
        _ => return None,
    };
    Some(text)
}
