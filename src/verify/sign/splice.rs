//! Sets one value in a JSON text and leaves every other byte as it is.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

/// Sets what stands at a path of member names, or in every element where a step is `None`.
///
/// A member that is not there is added to its object if it may be. `value` makes the new JSON text
/// out of the old one, if there was one. `None` if the body is not JSON or has no such place.
pub(super) fn splice(
    body: &str,
    path: &[Option<&str>],
    may_add: bool,
    value: &mut dyn FnMut(Option<&str>) -> String,
) -> Option<String> {
    let Some((step, rest)) = path.split_first() else { return Some(value(Some(body.trim()))) };
    match step {
        None => {
            let elements: Vec<&RawValue> = serde_json::from_str(body).ok()?;
            replace(body, &elements, |element| splice(element, rest, may_add, value))
        }
        Some(name) => match serde_json::from_str::<BTreeMap<String, &RawValue>>(body) {
            Ok(members) => match members.get(*name) {
                Some(member) => replace(body, &[*member], |old| splice(old, rest, may_add, value)),
                None if may_add => add(body, name, rest, members.is_empty(), value),
                None => None,
            },
            // A number may also count an array's elements.
            Err(_) => {
                let elements: Vec<&RawValue> = serde_json::from_str(body).ok()?;
                let element = *elements.get(name.parse::<usize>().ok()?)?;
                replace(body, &[element], |old| splice(old, rest, may_add, value))
            }
        },
    }
}

/// The text with each of the values in it, given in order, replaced.
fn replace(
    body: &str,
    values: &[&RawValue],
    mut new: impl FnMut(&str) -> Option<String>,
) -> Option<String> {
    let mut out = String::with_capacity(body.len());
    let mut done = 0;
    for value in values {
        // The values are borrowed from the text, so that their place in it is their address.
        let start = (value.get().as_ptr() as usize).checked_sub(body.as_ptr() as usize)?;
        out.push_str(body.get(done..start)?);
        out.push_str(&new(value.get())?);
        done = start + value.get().len();
    }
    out.push_str(body.get(done..)?);
    Some(out)
}

/// The object with a new first member.
fn add(
    body: &str,
    name: &str,
    rest: &[Option<&str>],
    empty: bool,
    value: &mut dyn FnMut(Option<&str>) -> String,
) -> Option<String> {
    let mut text = value(None);
    for step in rest.iter().rev() {
        text = format!("{{{}:{text}}}", quote((*step)?));
    }
    let (before, after) = body.split_once('{')?;
    let comma = if empty { "" } else { "," };
    Some(format!("{before}{{{}:{text}{comma}{after}", quote(name)))
}

/// The text as a JSON string.
pub(super) fn quote(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn set(body: &str, path: &[Option<&str>], new: &str) -> Option<String> {
        splice(body, path, true, &mut |_| new.to_owned())
    }

    #[test]
    fn nothing_else_changes() {
        let body = "{ \"b\" : [ 1,\n{\"x\":\"y\"} ], \"a\":{\"t\": 7 } }";
        assert_eq!(
            set(body, &[Some("a"), Some("t")], "8").unwrap(),
            "{ \"b\" : [ 1,\n{\"x\":\"y\"} ], \"a\":{\"t\": 8 } }"
        );
        assert_eq!(
            set("[{\"i\":1},{\"i\":2}]", &[None, Some("i")], "0").unwrap(),
            "[{\"i\":0},{\"i\":0}]"
        );
        assert_eq!(set("[5,6]", &[Some("1")], "0").unwrap(), "[5,0]");
    }

    #[test]
    fn what_is_missing_is_added() {
        assert_eq!(set("{}", &[Some("s"), Some("t")], "1").unwrap(), "{\"s\":{\"t\":1}}");
        assert_eq!(set(" {\"a\":1}", &[Some("s")], "1").unwrap(), " {\"s\":1,\"a\":1}");
        assert_eq!(set("[{}]", &[None, Some("i")], "1").unwrap(), "[{\"i\":1}]");
        for (body, path) in [
            ("3", &[Some("a")][..]),
            ("[]", &[Some("0")]),
            ("{}", &[None]),
            ("x", &[Some("a")]),
            ("{}", &[Some("a"), None]),
        ] {
            assert_eq!(set(body, path, "1"), None, "{body}");
        }
    }

    proptest! {
        #[test]
        fn what_was_set_is_read_back(key in "\\PC{1,8}", old in "\\PC{0,8}", new in any::<i64>()) {
            let body = serde_json::json!({ "k": { key.clone(): old }, "z": [1, 2] }).to_string();
            let text = set(&body, &[Some("k"), Some(&key)], &new.to_string()).unwrap();
            let value: serde_json::Value = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(&value["k"][&key], &serde_json::json!(new));
            prop_assert_eq!(&value["z"], &serde_json::json!([1, 2]));
        }
    }
}
