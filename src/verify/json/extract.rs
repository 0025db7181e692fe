//! Finds the values of a few pointers in one pass over the bytes, without building a tree.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use smallvec::SmallVec;

use super::{Pointer, pointer::Segment};

/// The bytes are not one JSON value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotJson;

/// What one pointer came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
    /// The scalars found, in order: strings unescaped, numbers and booleans as their text.
    pub(crate) values: SmallVec<[Box<str>; 1]>,
    /// The end of the pointer was there, whatever stood at it.
    pub(crate) reached: bool,
    /// A member on the way was there twice, so that readers may disagree on the value.
    pub(crate) duplicate: bool,
    /// Somewhere on the way there was no such member or element, or the end was no scalar, or
    /// there were more values than [`MAX_VALUES`].
    pub(crate) incomplete: bool,
}

/// How many values of one pointer are kept; a batch of any provider has far fewer.
pub(crate) const MAX_VALUES: usize = 1024;

/// Looks all pointers up; the results are in their order.
///
/// # Errors
///
/// Where the bytes are not one JSON value in whole.
pub(crate) fn extract(body: &[u8], pointers: &[Pointer]) -> Result<Vec<Found>, NotJson> {
    let mut found = vec![Found::default(); pointers.len()];
    let active = (0..pointers.len()).collect();
    let mut reader = serde_json::Deserializer::from_slice(body);
    Node { pointers, found: &mut found, active, depth: 0 }
        .deserialize(&mut reader)
        .map_err(|_| NotJson)?;
    reader.end().map_err(|_| NotJson)?;
    Ok(found)
}

/// Indices of the pointers that lead through a node.
type Active = SmallVec<[usize; 8]>;

/// A value `depth` segments down the active pointers.
struct Node<'p> {
    pointers: &'p [Pointer],
    found: &'p mut [Found],
    active: Active,
    depth: usize,
}

impl Node<'_> {
    fn segment(&self, pointer: usize) -> Option<&Segment> {
        self.pointers.get(pointer)?.segment(self.depth)
    }

    fn ends_here(&self) -> bool {
        self.active.iter().any(|p| self.segment(*p).is_none())
    }

    /// The active pointers that this step continues.
    fn step(&self, matches: impl Fn(&Segment) -> bool) -> Active {
        let continues = |p: &usize| self.segment(*p).is_some_and(&matches);
        self.active.iter().copied().filter(continues).collect()
    }

    fn incomplete(&mut self, pointers: &[usize]) {
        for pointer in pointers {
            if let Some(found) = self.found.get_mut(*pointer) {
                found.incomplete = true;
            }
        }
    }

    fn child(&mut self, active: Active) -> Node<'_> {
        let Node { pointers, found, depth, .. } = self;
        Node { pointers, found, active, depth: *depth + 1 }
    }

    /// Takes the value for the pointers that end here, and hands on the others.
    fn take(mut self, raw: &RawValue) -> Result<(), serde_json::Error> {
        let value = scalar(raw.get());
        let (through, ending): (Active, Active) =
            self.active.iter().copied().partition(|p| self.segment(*p).is_some());
        for pointer in &ending {
            let Some(found) = self.found.get_mut(*pointer) else { continue };
            found.reached = true;
            match &value {
                Some(value) if found.values.len() < MAX_VALUES => found.values.push(value.clone()),
                _ => found.incomplete = true,
            }
        }
        self.active = through;
        if self.active.is_empty() {
            return Ok(());
        }
        self.deserialize(&mut serde_json::Deserializer::from_str(raw.get()))
    }

    /// A scalar stands where the pointers lead on.
    fn dead_end<E>(mut self) -> Result<(), E> {
        let active = std::mem::take(&mut self.active);
        self.incomplete(&active);
        Ok(())
    }
}

/// The text of a scalar; `None` for `null`, arrays and objects.
fn scalar(raw: &str) -> Option<Box<str>> {
    match raw.as_bytes().first()? {
        b'"' => serde_json::from_str(raw).ok(),
        b'n' | b'[' | b'{' => None,
        _ => Some(raw.into()),
    }
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        if self.ends_here() {
            let raw = <&RawValue as serde::Deserialize>::deserialize(reader)?;
            return self.take(raw).map_err(D::Error::custom);
        }
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        let mut seen = Active::new();
        while let Some(here) = map.next_key_seed(Key(&self))? {
            if here.is_empty() {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            for pointer in &here {
                if !seen.contains(pointer) {
                    seen.push(*pointer);
                } else if let Some(found) = self.found.get_mut(*pointer) {
                    found.duplicate = true;
                }
            }
            map.next_value_seed(self.child(here))?;
        }
        let missing = self.active.iter().copied().filter(|p| !seen.contains(p));
        let missing: Active = missing.collect();
        self.incomplete(&missing);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<(), A::Error> {
        let mut seen = Active::new();
        for index in 0_usize.. {
            let here = self.step(|segment| match segment {
                Segment::Each => true,
                Segment::Name(name) => is_index(name, index),
            });
            if here.is_empty() {
                if seq.next_element::<IgnoredAny>()?.is_none() {
                    break;
                }
                continue;
            }
            if seq.next_element_seed(self.child(here.clone()))?.is_none() {
                break;
            }
            // Each pointer once is enough; an array may have millions of elements.
            for pointer in here {
                if !seen.contains(&pointer) {
                    seen.push(pointer);
                }
            }
        }
        let missing = self.active.iter().copied().filter(|p| !seen.contains(p));
        let missing: Active = missing.collect();
        self.incomplete(&missing);
        Ok(())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        self.dead_end()
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        self.dead_end()
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        self.dead_end()
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        self.dead_end()
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        self.dead_end()
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.dead_end()
    }
}

/// Whether the name is this index as JSON pointers write it, without leading zeros.
fn is_index(name: &str, index: usize) -> bool {
    name.parse() == Ok(index) && (name == "0" || !name.starts_with(['0', '+']))
}

/// A member's name: which pointers continue there.
struct Key<'n, 'p>(&'n Node<'p>);

impl<'de> DeserializeSeed<'de> for Key<'_, '_> {
    type Value = Active;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Active, D::Error> {
        reader.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_, '_> {
    type Value = Active;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member's name")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Active, E> {
        Ok(self.0.step(|segment| matches!(segment, Segment::Name(name) if **name == *key)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    impl Found {
        fn one(&self) -> Option<&str> {
            self.values
                .first()
                .map(|one| &**one)
                .filter(|_| self.values.len() == 1 && !self.duplicate)
        }
    }

    fn find(body: &str, pointers: &[&str]) -> Result<Vec<Found>, NotJson> {
        let pointers: Vec<_> = pointers.iter().map(|p| Pointer::parse(p).unwrap()).collect();
        extract(body.as_bytes(), &pointers)
    }

    fn values(body: &str, pointer: &str) -> Vec<String> {
        find(body, &[pointer]).unwrap()[0].values.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn scalars_are_taken_as_their_text() {
        let body = r#"{"s":"a\u00e9\n","n":12345678901234567890123,"f":1.50e3,"b":true,"z":null}"#;
        assert_eq!(values(body, "/s"), ["aé\n"]);
        assert_eq!(values(body, "/n"), ["12345678901234567890123"]);
        assert_eq!(values(body, "/f"), ["1.50e3"]);
        assert_eq!(values(body, "/b"), ["true"]);
        assert!(values(body, "/z").is_empty());
        assert!(values(body, "/absent").is_empty());
    }

    #[test]
    fn arrays_by_number_and_by_star() {
        let body = r#"[{"id":1,"x":[5,6]},{"id":"2"},{"no":3}]"#;
        assert_eq!(values(body, "/*/id"), ["1", "2"]);
        assert_eq!(values(body, "/1/id"), ["2"]);
        assert_eq!(values(body, "/0/x/1"), ["6"]);
        assert_eq!(values(body, "/*/x/*"), ["5", "6"]);
        assert!(values(body, "/01/id").is_empty());
        let found = find(body, &["/*/id", "/0/id"]).unwrap();
        assert!(found[0].incomplete && !found[1].incomplete);
        assert!(find("[]", &["/*/id"]).unwrap()[0].incomplete);
        assert!(find(r#"{"a":3}"#, &["/a/b"]).unwrap()[0].incomplete);
    }

    #[test]
    fn a_value_that_is_also_on_the_way() {
        let found = find(r#"{"a":{"b":7},"c":8}"#, &["/a", "/a/b", "/c"]).unwrap();
        assert!(found[0].values.is_empty() && found[0].incomplete);
        assert_eq!(found[1].one(), Some("7"));
        assert_eq!(found[2].one(), Some("8"));
    }

    #[test]
    fn duplicates_on_the_way_yield_nothing() {
        for body in [
            r#"{"a":{"b":1},"a":{"b":2}}"#,
            r#"{"a":{"b":1,"\u0062":1}}"#,
            r#"{"a":{"b":1},"a":0}"#,
        ] {
            let found = &find(body, &["/a/b"]).unwrap()[0];
            assert!(found.duplicate && found.one().is_none(), "{body}");
        }
        assert_eq!(find(r#"{"a":1,"x":1,"x":2}"#, &["/a"]).unwrap()[0].one(), Some("1"));
    }

    #[test]
    fn what_is_not_one_json_value() {
        for body in ["", "{", "{\"a\":1}x", "{\"a\":1} {}", "{\"a\":nope}", "\u{feff}{}"] {
            assert_eq!(find(body, &["/a"]), Err(NotJson), "{body}");
        }
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(find(&deep, &["/a"]).is_ok_and(|f| f[0].values.is_empty()));
        let deep = format!("{{\"a\":{deep}}}");
        assert!(find(&deep, &["/a"]).is_ok_and(|f| f[0].incomplete));
    }

    proptest! {
        #[test]
        fn no_input_panics(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let pointers = ["/a", "/*/b", "/0/0"].map(|p| Pointer::parse(p).unwrap());
            drop(extract(&body, &pointers));
        }

        #[test]
        fn agrees_with_a_tree(a in any::<i64>(), b in "\\PC{0,20}", c in any::<bool>()) {
            let value = serde_json::json!({ "x": { "a": a, "l": [{ "b": b }, { "c": c }] } });
            let pointers = ["/x/a", "/x/l/0/b", "/x/l/1/c"].map(|p| Pointer::parse(p).unwrap());
            let found = extract(value.to_string().as_bytes(), &pointers).unwrap();
            let a = a.to_string();
            prop_assert_eq!(found[0].one(), Some(a.as_str()));
            prop_assert_eq!(found[1].one(), Some(b.as_str()));
            prop_assert_eq!(found[2].one(), Some(if c { "true" } else { "false" }));
        }
    }
}
