//! Where a value stands in an XML document.

use std::fmt;

/// The local names of elements from the root on, and perhaps of an attribute: `/a/b/@c`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Path {
    elements: Vec<Box<str>>,
    attribute: Option<Box<str>>,
}

/// Longer paths are refused when a definition is read.
const MAX_SEGMENTS: usize = 32;

impl Path {
    /// Reads a path.
    ///
    /// # Errors
    ///
    /// What is wrong with the text.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        let Some(text) = text.strip_prefix('/') else {
            return Err("a path in XML begins with `/`");
        };
        let mut elements: Vec<Box<str>> = text.split('/').map(Into::into).collect();
        let attribute = elements.pop_if(|last| last.starts_with('@'));
        let attribute = attribute.and_then(|last| last.strip_prefix('@').map(Box::from));
        if elements.is_empty() {
            return Err("a path in XML names the root element first");
        }
        if elements.len() > MAX_SEGMENTS {
            return Err("a path in XML has at most 32 elements");
        }
        if !elements.iter().chain(&attribute).all(|name| is_local_name(name)) {
            return Err("a path in XML consists of names without prefixes");
        }
        Ok(Self { elements, attribute })
    }

    /// The name of the element at a depth; the root's is 0.
    pub(super) fn element(&self, depth: usize) -> Option<&str> {
        self.elements.get(depth).map(|name| &**name)
    }

    /// Whether the element at this depth is the last.
    pub(super) const fn ends_at(&self, depth: usize) -> bool {
        self.elements.len() == depth + 1
    }

    /// The attribute of the last element that is meant, if not the element itself.
    pub(super) fn attribute(&self) -> Option<&str> {
        self.attribute.as_deref()
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.elements.iter().try_for_each(|name| write!(f, "/{name}"))?;
        self.attribute.iter().try_for_each(|name| write!(f, "/@{name}"))
    }
}

/// Whether it is a name as people write them, without a prefix.
pub(super) fn is_local_name(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|first| first.is_alphabetic() || first == '_')
        && chars.all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '\u{b7}'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_print_as_they_are_read() {
        for text in ["/a", "/Envelope/Body/n-o.t_e", "/a/b/@c", "/é"] {
            assert_eq!(Path::parse(text).unwrap().to_string(), text);
        }
        let long = "/a".repeat(33);
        for bad in
            ["", "a", "/", "/a/", "//a", "/@a", "/a/@b/c", "/a:b", "/a/@", "/a b", "/1", &long]
        {
            assert!(Path::parse(bad).is_err(), "{bad}");
        }
    }
}
