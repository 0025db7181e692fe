//! One deployment, sized with the figures of this run.

use crate::{pages::Block, table::figure};

/// The block `example`; `None` unless everything that it needs was measured in this run.
pub fn example(blocks: &[Block]) -> Option<Block> {
    let value = |name: &str| {
        let block = blocks.iter().find(|block| block.name == name)?;
        block.text.replace(',', "").parse::<f64>().ok()
    };
    let per_request = value("cpu-quiet")?
        + (KIB - 1.0) * value("cpu-kib")?
        + (SECRETS - 1.0) * value("cpu-secret")?.max(0.0)
        + value("cpu-audit")?.max(0.0);
    let handshakes = HANDSHAKES * value("cpu-handshake")?;
    let cores = (RATE * per_request + handshakes) / 1e6;
    let entries = RATE * 86_400.0;
    let parts = [
        ("gateway", value("mb-base")?),
        ("connections", CONNECTIONS * value("kb-connection")? / 1e3),
        ("entries", entries * value("bytes-entry")? / 1e6),
        ("bodies", IN_FLIGHT * KIB * 1024.0 / 1e6),
    ];
    let total: f64 = parts.iter().map(|(_, part)| part).sum();
    let sum: Vec<_> =
        parts.iter().map(|(name, part)| format!("{} ({name})", figure(*part))).collect();
    Some(Block::new(
        "example",
        format!(
            "{RATE} deliveries/s of {KIB} KiB around the clock, {SECRETS} secrets a route, audit on, \
             {CONNECTIONS} connections, {HANDSHAKES} TLS handshakes/s, {IN_FLIGHT} bodies at once:\n\
             {} µs of CPU a delivery, so {} of a core; {} entries in a window of a day, so\n\
             {} = {} MB.",
            figure(per_request),
            figure(cores),
            figure(entries),
            sum.join(" + "),
            figure(total)
        ),
    ))
}

const RATE: f64 = 50.0;
const KIB: f64 = 8.0;
const SECRETS: f64 = 2.0;
const CONNECTIONS: f64 = 500.0;
const HANDSHAKES: f64 = 10.0;
const IN_FLIGHT: f64 = 50.0;

#[cfg(test)]
mod tests {
    use super::*;

    fn measured() -> Vec<Block> {
        [
            ("cpu-quiet", "50.0"),
            ("cpu-kib", "1.00"),
            ("cpu-secret", "1.00"),
            ("cpu-audit", "2.00"),
            ("cpu-handshake", "200"),
            ("mb-base", "20.0"),
            ("kb-connection", "10.0"),
            ("bytes-entry", "100"),
        ]
        .map(|(name, text)| Block::new(name, text))
        .to_vec()
    }

    #[test]
    fn the_sums_are_those_of_the_formulae() {
        let text = example(&measured()).unwrap().text;
        // 50 + 7 + 1 + 2 µs; 50 × 60 + 10 × 200 µs a second.
        assert!(text.contains("60.0 µs of CPU a delivery, so 0.01 of a core"), "{text}");
        assert!(text.contains("4,320,000 entries"), "{text}");
        assert!(text.contains("20.0 (gateway) + 5.00 (connections) + 432 (entries)"), "{text}");
        assert!(text.ends_with("= 457 MB."), "{text}");
    }

    #[test]
    fn without_all_figures_there_is_none() {
        assert_eq!(example(&measured()[1..]), None);
    }
}
