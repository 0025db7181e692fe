//! `filters`: one subject and one test each.

use http::HeaderName;

use super::Context;
use crate::config::{
    model::{Filter, FilterSubject, FilterTest},
    raw,
};

/// All filters of a route; `key` is the array's.
pub(super) fn filters(cx: &Context<'_>, key: &str, raw: &[raw::Filter]) -> Vec<Filter> {
    let mut out = Vec::with_capacity(raw.len());
    for (number, filter) in raw.iter().enumerate() {
        let subject = subject(filter);
        let test = test(filter);
        for problem in [subject.as_ref().err(), test.as_ref().err()].into_iter().flatten() {
            cx.problems.error(format_args!("{key}[{number}]"), problem);
        }
        if let (Ok(subject), Ok(test)) = (subject, test) {
            out.push(Filter { subject, test });
        }
    }
    out
}

fn subject(raw: &raw::Filter) -> Result<FilterSubject, String> {
    match (&raw.json, &raw.header, &raw.query) {
        (Some(pointer), None, None) if is_pointer(pointer) => {
            Ok(FilterSubject::Json(pointer.clone()))
        }
        (Some(pointer), None, None) => {
            Err(format!("{pointer:?} is no JSON pointer; write one such as \"/data/object/id\""))
        }
        (None, Some(name), None) => HeaderName::try_from(name.as_str())
            .map(FilterSubject::Header)
            .map_err(|_| format!("{name:?} is no header name")),
        (None, None, Some(name)) if !name.is_empty() => Ok(FilterSubject::Query(name.clone())),
        _ => Err("a filter looks at exactly one of json, header and query".to_owned()),
    }
}

fn test(raw: &raw::Filter) -> Result<FilterTest, String> {
    let mut tests = Vec::new();
    tests.extend(raw.equals.as_ref().map(|value| FilterTest::Equals(value.0.clone())));
    tests.extend(raw.not.as_ref().map(|value| FilterTest::Not(value.0.clone())));
    tests.extend(raw.exists.map(FilterTest::Exists));
    tests.extend(raw.glob.clone().map(FilterTest::Glob));
    tests.extend(
        raw.any_of
            .as_ref()
            .map(|values| FilterTest::In(values.iter().map(|value| value.0.clone()).collect())),
    );
    match (tests.pop(), tests.is_empty()) {
        (Some(FilterTest::In(values)), true) if values.is_empty() => {
            Err("nothing is in an empty list".to_owned())
        }
        (Some(test), true) => Ok(test),
        _ => Err("a filter has exactly one of equals, not, in, glob and exists".to_owned()),
    }
}

/// RFC 6901: empty, or parts each after a slash, `~` only as `~0` and `~1`.
fn is_pointer(text: &str) -> bool {
    let escapes = text.split('~').skip(1).all(|after| after.starts_with(['0', '1']));
    (text.is_empty() || text.starts_with('/')) && escapes
}
