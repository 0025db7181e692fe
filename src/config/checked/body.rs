//! `[routes.X.body]`.

use super::{Context, keys};
use crate::{
    config::{material::RouteMaterial, model::Body, raw},
    verify::Definition,
};

/// A body's bounds and schemas.
pub(super) fn body(
    cx: &Context<'_>,
    at: &str,
    raw: Option<&raw::Body>,
    definition: &Definition,
    own: &RouteMaterial,
) -> Body {
    let none = raw::Body::default();
    let raw = raw.unwrap_or(&none);
    let mut content_types = Vec::new();
    for (number, text) in raw.content_types.iter().flatten().enumerate() {
        match media_type(text) {
            Ok(media_type) => content_types.push(media_type),
            Err(why) => cx.problems.error(
                format_args!("routes.{at}.body.content_types[{number}]"),
                format_args!("{text:?} {why}"),
            ),
        }
    }
    if raw.content_types.as_ref().is_some_and(Vec::is_empty) {
        let key = format_args!("routes.{at}.body.content_types");
        cx.problems.error(key, "no type would be taken; leave the key out for any");
    }
    Body {
        max_size: keys::size(
            cx,
            format_args!("routes.{at}.body.max_size"),
            raw.max_size,
            definition.max_size.unwrap_or(1 << 20),
            (1, 1 << 30),
        ),
        content_types,
        schema: own.schema.clone(),
        schemas: own.schemas.clone(),
    }
}

/// `type/subtype` without parameters, lower case.
fn media_type(text: &str) -> Result<String, &'static str> {
    let is_token = |part: &str| {
        let fits = |b: u8| b.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&b);
        !part.is_empty() && part.bytes().all(fits)
    };
    if text.contains(';') {
        return Err("has parameters; types are compared without them");
    }
    match text.split_once('/') {
        Some((kind, subtype)) if is_token(kind) && is_token(subtype) => {
            Ok(text.to_ascii_lowercase())
        }
        _ => Err("is no media type such as \"application/json\""),
    }
}
