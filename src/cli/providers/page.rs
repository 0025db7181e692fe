//! The catalogue as a page for people.

use std::fmt::Write as _;

use super::{COLUMNS, summary::Summary};

/// `docs/providers.md`.
pub(super) fn page(all: &[Summary]) -> String {
    let mut out = INTRODUCTION.replace("{count}", &all.len().to_string());
    let head: Vec<_> = COLUMNS.iter().map(|column| column.to_lowercase()).collect();
    let _infallible = writeln!(out, "| {} | body |", head.join(" | "));
    let _infallible = writeln!(out, "|{}", "---|".repeat(COLUMNS.len() + 1));
    for summary in all {
        let mut cells = summary.cells().into_iter().map(|cell| cell.replace('|', "\\|"));
        let name = cells.next().unwrap_or_default();
        let title = cells.next().unwrap_or_default();
        let rest: Vec<_> = cells.collect();
        let body = if summary.covers_body { "covered" } else { "open" };
        let (docs, rest) = (&summary.docs, rest.join(" | "));
        let _infallible = writeln!(out, "| `{name}` | [{title}]({docs}) | {rest} | {body} |");
    }
    out.push_str("\n## What nobody has confirmed yet\n\n");
    for summary in all.iter().filter(|summary| !summary.open.is_empty()) {
        let _infallible = writeln!(out, "- `{}`: {}", summary.name, summary.open.join("; "));
    }
    out
}

const INTRODUCTION: &str = "\
# Providers

{count} definitions are built in, one TOML file each under `src/providers`; this page is made from them
(`hookward providers --format markdown`). `hookward providers NAME` prints one, to read or to paste and change.

- **family**: `token` the secret itself is there; `hmac` over a template of raw bytes; `hmac-fields` over rearranged
  form fields or members of the body; `hash` a plain digest with the secret in it; `public-key`; `certificate` a public
  key that the message names; `jwt` bound by its claims, `jwt-body` with a digest of the body among them;
  `http-signature` RFC 9421; `none`.
- **freshness**: how far the signed time may be from now; `exp`: the token says until when it holds; `none`: nothing
  signed says how old a copy is.
- **replay key**: what tells a delivery from a copy of it. The same event id signed anew is acknowledged and not
  forwarded again.
- **retries**: `fresh` are signed anew, `identical` are the same bytes, so that a copy of what was delivered is
  acknowledged.
- **evidence**: `sdk` the provider's own package gives the same verdicts; `docs` its documentation says so;
  `third-party` somebody else's code does.
- **body**: whether the signature covers the whole body. Where it does not, a copy with another body is refused.

";
