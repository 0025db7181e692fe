//! The engine knows no provider: a provider is a file of the catalogue, and nothing else.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use super::{names, raw};

/// What must work for any provider.
const FOLDERS: &[&str] = &["fetch", "gateway", "layer", "replay", "schema", "verify"];

/// Names of definitions that are words of English, or of the trade, besides.
const WORDS: &[&str] = &["box", "line", "port", "rfc9421", "segment", "x"];

/// The code without comments and without unit tests, in words of lower case: `StripeKey`,
/// `stripe_key` and `"stripe-key"` are all ` stripe key `.
fn words(code: &str) -> String {
    let code = code.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let mut words = String::from(" ");
    for line in code.lines() {
        // `://` begins no comment.
        let comment = line.match_indices("//").map(|(at, _)| at);
        let comment = comment.filter(|at| !line.split_at(*at).0.ends_with(':')).min();
        let mut before = ' ';
        for c in line.split_at(comment.unwrap_or(line.len())).0.chars() {
            let begins = c.is_ascii_uppercase() && before.is_ascii_lowercase();
            if begins || !c.is_alphanumeric() {
                separate(&mut words);
            }
            if c.is_alphanumeric() {
                words.push(c.to_ascii_lowercase());
            }
            before = c;
        }
        separate(&mut words);
    }
    words
}

fn separate(words: &mut String) {
    if !words.ends_with(' ') {
        words.push(' ');
    }
}

fn is_test(path: &Path) -> bool {
    let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
    name == "tests" || name.ends_with("_tests")
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            _ if is_test(&path) => {}
            true => sources(&path, found),
            false => found.push(path),
        }
    }
}

#[test]
fn the_engine_names_no_provider() {
    let titles = names().filter_map(|name| raw(name)?.title.as_deref());
    // A title without what is said beside it, as in `Adyen (payments)`.
    let titles = titles.filter_map(|title| title.split('(').next());
    let all = names().chain(titles).map(words).map(|name| name.trim().to_owned());
    let all: BTreeSet<String> = all.filter(|name| !WORDS.contains(&name.as_str())).collect();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    FOLDERS.iter().for_each(|folder| sources(&root.join(folder), &mut files));
    assert!(files.len() > 150, "{} files", files.len());
    let mut found = Vec::new();
    for path in files {
        let text = words(&fs::read_to_string(&path).unwrap());
        let named = all.iter().filter(|name| text.contains(&format!(" {name} ")));
        found.extend(named.map(|name| format!("{}: {name}", path.display())));
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn a_name_is_found_in_code_and_not_in_comments() {
    assert_eq!(words("let StripeKey = x; // github"), " let stripe key x ");
    assert_eq!(words("\"https://acme.example\" /// b"), " https acme example ");
    assert_eq!(words("a_b(\"c-d\")\n#[cfg(test)]\nmod tests { e }"), " a b c d ");
}
