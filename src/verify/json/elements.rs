//! The elements of an array, each as the bytes that were received.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::{Pointer, pointer::Segment};

/// Longer arrays are refused: each element costs a signature's check.
const MAX_ELEMENTS: usize = 1024;

/// The raw text of every value under a pointer with `*`, in order.
///
/// `None` unless the body is one JSON value in which every step of the pointer is there exactly once
/// for every element of every array, with at least one element and at most 1024.
pub(crate) fn elements<'b>(body: &'b [u8], array: &Pointer) -> Option<Vec<&'b [u8]>> {
    let mut found = Vec::new();
    let mut reader = serde_json::Deserializer::from_slice(body);
    Step { pointer: array, depth: 0, found: &mut found }.deserialize(&mut reader).ok()?;
    reader.end().ok()?;
    (!found.is_empty()).then_some(found)
}

/// A value `depth` segments down the pointer.
struct Step<'s, 'b> {
    pointer: &'s Pointer,
    depth: usize,
    found: &'s mut Vec<&'b [u8]>,
}

impl<'b> Step<'_, 'b> {
    const fn below(&mut self) -> Step<'_, 'b> {
        Step { pointer: self.pointer, depth: self.depth + 1, found: self.found }
    }
}

impl<'de> DeserializeSeed<'de> for Step<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        match self.pointer.segment(self.depth) {
            Some(Segment::Each) => reader.deserialize_seq(self),
            Some(Segment::Name(_)) => reader.deserialize_map(self),
            None if self.found.len() == MAX_ELEMENTS => Err(D::Error::custom("too many elements")),
            None => {
                let raw = <&RawValue as serde::Deserialize>::deserialize(reader)?;
                self.found.push(raw.get().as_bytes());
                Ok(())
            }
        }
    }
}

impl<'de> Visitor<'de> for Step<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("what the pointer leads through")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        let Some(Segment::Name(name)) = self.pointer.segment(self.depth) else {
            return Err(A::Error::custom("an array is expected"));
        };
        let mut is_there = false;
        while let Some(key) = map.next_key::<String>()? {
            if *key != **name {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            if std::mem::replace(&mut is_there, true) {
                return Err(A::Error::custom("a member is there twice"));
            }
            map.next_value_seed(self.below())?;
        }
        is_there.then_some(()).ok_or_else(|| A::Error::custom("a member is missing"))
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element_seed(self.below())?.is_some() {}
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn find<'b>(body: &'b str, pointer: &str) -> Option<Vec<&'b str>> {
        let found = elements(body.as_bytes(), &Pointer::parse(pointer).unwrap())?;
        Some(found.into_iter().map(|raw| std::str::from_utf8(raw).unwrap()).collect())
    }

    #[test]
    fn elements_come_as_they_were_written() {
        let body = r#"{"x":0,"l":[{"i": {"a":1.50} },{"i":"\u0061"}],"y":[]}"#;
        assert_eq!(find(body, "/l/*/i"), Some(vec![r#"{"a":1.50}"#, r#""\u0061""#]));
        assert_eq!(find(body, "/l/*"), Some(vec![r#"{"i": {"a":1.50} }"#, r#"{"i":"\u0061"}"#]));
        assert_eq!(find("[[1,2],[3]]", "/*/*"), Some(vec!["1", "2", "3"]));
        assert_eq!(find("[null]", "/*"), Some(vec!["null"]));
    }

    #[test]
    fn nothing_is_left_out() {
        for body in [
            "{}",
            r#"{"l":[]}"#,
            r#"{"l":null}"#,
            r#"{"l":{"i":1}}"#,
            r#"{"l":{"0":{"i":1}}}"#,
            r#"{"l":[{"i":1},{}]}"#,
            r#"{"l":[{"i":1},[]]}"#,
            r#"{"l":[{"i":1},{"i":2,"\u0069":3}]}"#,
            r#"{"l":[{"i":1}],"l":[{"i":2}]}"#,
            r#"{"l":[{"i":1}],"\u006c":0}"#,
            r#"{"l":[{"i":1}]} x"#,
            r#"{"l":[{"i":1}]"#,
            "[",
            "",
        ] {
            assert_eq!(find(body, "/l/*/i"), None, "{body}");
        }
        assert_eq!(elements(b"[\"\xff\"]", &Pointer::parse("/*").unwrap()), None);
    }

    #[test]
    fn long_arrays_are_refused() {
        let array = |n: usize| format!("[{}]", vec!["1"; n].join(","));
        assert_eq!(find(&array(1024), "/*").map(|e| e.len()), Some(1024));
        assert_eq!(find(&array(1025), "/*"), None);
        let deep = format!("[{}{}]", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(find(&deep, "/*/x"), None);
        assert!(find(&deep, "/*/*").is_some_and(|e| e.len() == 1), "depth is the reader's affair");
    }

    proptest! {
        #[test]
        fn no_input_panics(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let pointers = ["/*", "/a/*/b", "/*/*"].map(|p| Pointer::parse(p).unwrap());
            pointers.iter().for_each(|p| drop(elements(&body, p)));
        }
    }
}
