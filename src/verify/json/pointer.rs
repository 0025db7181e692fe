//! JSON pointers in which `*` stands for every element of an array.

use std::fmt;

/// An RFC 6901 pointer with at least one segment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Pointer(Vec<Segment>);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Segment {
    /// Every element of an array.
    Each,
    /// A member, or an element by its number.
    Name(Box<str>),
}

/// Longer pointers are refused when a definition is read.
const MAX_SEGMENTS: usize = 32;

impl Pointer {
    /// Reads a pointer.
    ///
    /// # Errors
    ///
    /// What is wrong with the text.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        let Some(text) = text.strip_prefix('/') else {
            return Err("a JSON pointer begins with `/`");
        };
        let segments = text.split('/').map(segment).collect::<Option<Vec<_>>>();
        match segments {
            None => Err("in a JSON pointer `~` stands only in `~0` and `~1`"),
            Some(segments) if segments.len() > MAX_SEGMENTS => {
                Err("a JSON pointer has at most 32 segments")
            }
            Some(segments) => Ok(Self(segments)),
        }
    }

    /// Whether it can name several values.
    pub(crate) fn is_many(&self) -> bool {
        self.0.contains(&Segment::Each)
    }

    pub(super) fn segment(&self, depth: usize) -> Option<&Segment> {
        self.0.get(depth)
    }

    /// The member names on the way; `None` where `*` stands.
    pub(crate) fn names(&self) -> impl Iterator<Item = Option<&str>> {
        self.0.iter().map(|segment| match segment {
            Segment::Each => None,
            Segment::Name(name) => Some(&**name),
        })
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|segment| match segment {
            Segment::Each => f.write_str("/*"),
            Segment::Name(name) => write!(f, "/{}", name.replace('~', "~0").replace('/', "~1")),
        })
    }
}

fn segment(text: &str) -> Option<Segment> {
    if text == "*" {
        return Some(Segment::Each);
    }
    let mut name = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        name.push(match c {
            '~' => match chars.next()? {
                '0' => '~',
                '1' => '/',
                _ => return None,
            },
            other => other,
        });
    }
    Some(Segment::Name(name.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_print_as_they_are_read() {
        for text in ["/a", "/a/0/*/b~1c~0d", "/", "//x"] {
            assert_eq!(Pointer::parse(text).unwrap().to_string(), text);
        }
        for bad in ["", "a", "/~", "/~2", &"/a".repeat(33)] {
            assert!(Pointer::parse(bad).is_err(), "{bad}");
        }
    }
}
