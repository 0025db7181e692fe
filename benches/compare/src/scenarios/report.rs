//! What a scenario found: tables, and single figures for texts.

use super::Scenario;
use crate::{pages::Block, table::Table, table::figure};

/// Tables and figures.
#[derive(Clone, Debug, Default)]
pub struct Report {
    table: Option<Table>,
    figures: Vec<(&'static str, f64)>,
    note: String,
}

impl Report {
    /// A table and no figure yet.
    pub fn new(table: Table) -> Self {
        Self { table: Some(table), ..Self::default() }
    }

    /// With a figure that texts can name; without it if there is none.
    #[must_use]
    pub fn figure(mut self, name: &'static str, value: Option<f64>) -> Self {
        self.figures.extend(value.map(|value| (name, value)));
        self
    }

    /// With a sentence under the table.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    /// For the terminal.
    pub fn show(&self, scenario: Scenario, markdown: bool) -> String {
        let mut text = format!("\n## {scenario}\n\n");
        if let Some(table) = &self.table {
            text += &if markdown { table.markdown() } else { table.text() };
        }
        if !self.note.is_empty() {
            text += &format!("\n{}\n", self.note);
        }
        for (name, value) in &self.figures {
            text += &format!("{name} = {}\n", figure(*value));
        }
        text
    }

    /// For pages: the table under the scenario's name, each figure under its own.
    pub fn blocks(&self, scenario: Scenario) -> Vec<Block> {
        let note = if self.note.is_empty() { String::new() } else { format!("\n{}\n", self.note) };
        let table = self.table.as_ref().map(|table| table.markdown() + &note);
        let table = table.map(|text| Block::new(scenario.to_string(), text));
        let figures = self.figures.iter().map(|(name, value)| Block::new(*name, figure(*value)));
        table.into_iter().chain(figures).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_becomes_blocks_by_name() {
        let mut table = Table::new(["a", "b"]);
        table.row(["x".into(), "1".into()]);
        let report = Report::new(table).figure("cpu", Some(12.34)).figure("none", None).note("So.");
        let blocks = report.blocks(Scenario::Plain);
        let text = "| a | b |\n|---|--:|\n| x | 1 |\n\nSo.\n";
        assert_eq!(blocks, [Block::new("plain", text), Block::new("cpu", "12.3")]);
        assert!(report.show(Scenario::Plain, false).contains("\na  b\nx  1\n"));
    }
}
