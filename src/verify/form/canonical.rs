//! Fields put in order, as several senders sign them.
//!
//! Names and values stand beside each other without anything between them, or with characters that
//! they may contain themselves: the result does not say where each began. A definition that signs
//! them so leaves the single fields uncovered.

use std::borrow::Cow;

use super::decode;

/// Forms of more fields than this have no canonical form: putting them in order happens before
/// anything is known of the sender.
const MAX_FIELDS: usize = 10_000;

type Pair<'a> = (Cow<'a, [u8]>, Cow<'a, [u8]>);

/// Every field's decoded name and value, by name and then by value; `None` for too many.
///
/// Decoded bytes are compared, which is the order of Unicode code points.
pub(super) fn pairs(encoded: &[u8]) -> Option<Vec<Pair<'_>>> {
    let fields = || encoded.split(|b| *b == b'&').filter(|field| !field.is_empty());
    if fields().nth(MAX_FIELDS).is_some() {
        return None;
    }
    let mut pairs: Vec<Pair<'_>> = fields()
        .map(|field| {
            let at = memchr::memchr(b'=', field).unwrap_or(field.len());
            let (name, value) = field.split_at(at);
            (decode(name), decode(value.get(1..).unwrap_or_default()))
        })
        .collect();
    pairs.sort_unstable();
    Some(pairs)
}

/// Every name followed by its value; of values that a name has several times, each.
pub(crate) fn sorted(encoded: &[u8]) -> Option<Vec<u8>> {
    pairs(encoded).map(|pairs| joined(&pairs))
}

/// Every name followed by its value; of values that a name has several times, the distinct ones.
pub(crate) fn sorted_distinct(encoded: &[u8]) -> Option<Vec<u8>> {
    let mut pairs = pairs(encoded)?;
    pairs.dedup();
    Some(joined(&pairs))
}

fn joined(pairs: &[Pair<'_>]) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, value) in pairs {
        out.extend_from_slice(name);
        out.extend_from_slice(value);
    }
    out
}

/// A URL, or a path, whose query is decoded and put in order: `?a=1&b=2`, or nothing for no
/// parameters.
pub(crate) fn sorted_query(url: &[u8]) -> Option<Vec<u8>> {
    let (mut out, query) = ordered(url)?;
    if !query.is_empty() {
        out.push(b'?');
        out.extend(query);
    }
    Some(out)
}

/// The same, ready for form fields to follow: `?a=1&b=2.`, or `?` for no parameters.
pub(crate) fn open_query(url: &[u8]) -> Option<Vec<u8>> {
    let (mut out, query) = ordered(url)?;
    out.push(b'?');
    if !query.is_empty() {
        out.extend(query);
        out.push(b'.');
    }
    Some(out)
}

/// What stands before the query, and the query in order.
fn ordered(url: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let at = memchr::memchr(b'?', url).unwrap_or(url.len());
    let (before, query) = url.split_at(at);
    let mut out = Vec::new();
    for (name, value) in pairs(query.get(1..).unwrap_or_default())? {
        if !out.is_empty() {
            out.push(b'&');
        }
        out.extend_from_slice(&name);
        out.push(b'=');
        out.extend_from_slice(&value);
    }
    Some((before.to_vec(), out))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(bytes: Option<Vec<u8>>) -> String {
        String::from_utf8(bytes.unwrap()).unwrap()
    }

    #[test]
    fn fields_are_decoded_and_put_in_order() {
        assert_eq!(text(sorted(b"b=2&a=1")), "a1b2");
        assert_eq!(text(sorted(b"B=2&a=1&%61b=x+y%20z")), "B2a1abx y z");
        assert_eq!(text(sorted(b"caf%C3%A9=%E2%80%94")), "café—");
        assert_eq!(text(sorted(b"a&b=&=c&&")), "cab");
        assert_eq!(text(sorted(b"a=1=2")), "a1=2");
        assert_eq!(text(sorted(b"")), "");
    }

    #[test]
    fn repeated_names_have_all_their_values_or_the_distinct_ones() {
        assert_eq!(text(sorted(b"t=b&t=a&t=a&x=1")), "tatatbx1");
        assert_eq!(text(sorted_distinct(b"t=b&t=a&t=%61&x=1")), "tatbx1");
        assert_eq!(text(sorted_distinct(b"t=&t=")), "t");
    }

    #[test]
    fn queries_are_decoded_and_put_in_order() {
        assert_eq!(text(sorted_query(b"https://h/p?b=2&a=%201")), "https://h/p?a= 1&b=2");
        assert_eq!(text(sorted_query(b"https://h/p")), "https://h/p");
        assert_eq!(text(sorted_query(b"/p?")), "/p");
        assert_eq!(text(open_query(b"https://h/p?b=2&a=1")), "https://h/p?a=1&b=2.");
        assert_eq!(text(open_query(b"https://h/p")), "https://h/p?");
    }

    #[test]
    fn many_fields_are_taken_and_too_many_are_not() {
        let form = |count: usize| vec!["k=v"; count].join("&").into_bytes();
        assert_eq!(sorted(&form(MAX_FIELDS)).unwrap().len(), 2 * MAX_FIELDS);
        assert_eq!(text(sorted_distinct(&form(MAX_FIELDS))), "kv");
        assert_eq!(sorted(&form(MAX_FIELDS + 1)), None);
        assert_eq!(text(sorted(&vec![b'&'; 1 << 20])), "");
    }

    proptest! {
        #[test]
        fn the_order_of_fields_does_not_matter(
            fields in proptest::collection::vec("[ab%+=]{0,4}", 0..8),
            turn in 0_usize..8,
        ) {
            let mut turned = fields.clone();
            turned.rotate_left(turn.min(fields.len()));
            let (one, other) = (fields.join("&"), turned.join("&"));
            prop_assert_eq!(sorted(one.as_bytes()), sorted(other.as_bytes()));
            prop_assert_eq!(sorted_distinct(one.as_bytes()), sorted_distinct(other.as_bytes()));
        }

        #[test]
        fn no_input_panics(form in proptest::collection::vec(any::<u8>(), 0..200)) {
            drop((sorted(&form), sorted_distinct(&form), sorted_query(&form), open_query(&form)));
        }
    }
}
