//! A built-in definition as a table of a configuration.

/// The definition's text under `[providers.my-NAME]`.
pub(super) fn pasteable(name: &str, source: &str) -> String {
    let own = format!("providers.my-{name}");
    let mut out = format!(
        "# A copy of the built-in definition {name}, to be pasted and changed. The names of built-in\n\
         # definitions are reserved, so give it one of its own and use that: provider = \"my-{name}\"\n\
         [{own}]\n"
    );
    for line in source.lines() {
        // The files have every table's head at the start of a line, and nothing else there that
        // begins with a bracket; a test reads them all back.
        match (line.strip_prefix("[["), line.strip_prefix('[')) {
            (Some(table), _) => out.push_str(&format!("[[{own}.{table}")),
            (None, Some(table)) => out.push_str(&format!("[{own}.{table}")),
            (None, None) => out.push_str(line),
        }
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers;

    #[test]
    fn every_definition_reads_the_same_when_pasted() {
        for name in providers::names() {
            let source = providers::source(name).unwrap();
            let pasted: toml::Table = toml::from_str(&pasteable(name, source)).unwrap();
            let written: toml::Table = toml::from_str(source).unwrap();
            let own = pasted["providers"][format!("my-{name}")].as_table().unwrap();
            assert_eq!(*own, written, "{name}");
        }
    }
}
