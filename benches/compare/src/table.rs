//! Tables for people and for pages.

use crate::stats::Summary;

/// Rows under a heading; the first column is text, the others are figures.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// An empty one with these columns.
    pub fn new<const N: usize>(columns: [&str; N]) -> Self {
        Self { columns: columns.map(String::from).to_vec(), rows: Vec::new() }
    }

    /// Adds a row.
    pub fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.into());
    }

    /// As Markdown.
    pub fn markdown(&self) -> String {
        let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
        let mut rules = vec!["---".to_owned()];
        rules.resize(self.columns.len(), "--:".into());
        let mut text = line(&self.columns);
        text += &format!("|{}|\n", rules.join("|"));
        text.extend(self.rows.iter().map(|row| line(row)));
        text
    }

    /// As text with aligned columns.
    pub fn text(&self) -> String {
        let lines = || std::iter::once(&self.columns).chain(&self.rows);
        let width = |column: usize| {
            lines().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max()
        };
        let widths: Vec<_> =
            (0..self.columns.len()).map(|column| width(column).unwrap_or(0)).collect();
        let mut text = String::new();
        for row in lines() {
            for (place, (cell, width)) in row.iter().zip(&widths).enumerate() {
                let cell = cell.replace("**", "");
                text += &match place {
                    0 => format!("{cell:<width$}"),
                    _ => format!("  {cell:>width$}"),
                };
            }
            text = text.trim_end().to_owned() + "\n";
        }
        text
    }
}

/// A number of things.
pub fn count(number: u64) -> String {
    thousands(number as f64)
}

/// A figure with as many digits as it deserves.
pub fn figure(value: f64) -> String {
    let digits = match value.abs() {
        size if size >= 1000.0 => return thousands(value.round()),
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        _ => 2,
    };
    format!("{value:.digits$}")
}

/// A ratio with the middle half of its samples.
pub fn ratio(summary: Option<Summary>) -> String {
    match summary {
        None => "–".into(),
        Some(Summary { median, low, high }) => format!("{median:.2} [{low:.2}–{high:.2}]"),
    }
}

/// A median, or a dash.
pub fn median(summary: Option<Summary>) -> String {
    summary.map_or("–".into(), |summary| figure(summary.median))
}

fn thousands(value: f64) -> String {
    let digits = format!("{:.0}", value.abs());
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if value < 0.0 { format!("-{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_keep_three_digits() {
        let cases = [(0.0, "0.00"), (1.234, "1.23"), (15.04, "15.0"), (123.4, "123")];
        for (value, text) in cases {
            assert_eq!(figure(value), text);
        }
        assert_eq!(figure(1234.4), "1,234");
        assert_eq!([count(7), count(10_000)], ["7", "10,000"]);
        assert_eq!(figure(-1_234_567.0), "-1,234,567");
    }

    #[test]
    fn a_table_is_read_by_people_and_by_pages() {
        let mut table = Table::new(["gateway", "µs"]);
        table.row(["a".into(), "1.00".into()]);
        table.row(["longer name".into(), "**12.0**".into()]);
        let markdown = "| gateway | µs |\n|---|--:|\n| a | 1.00 |\n| longer name | **12.0** |\n";
        assert_eq!(table.markdown(), markdown);
        let text = "gateway            µs\na                1.00\nlonger name      12.0\n";
        assert_eq!(table.text(), text);
    }

    #[test]
    fn a_ratio_shows_its_spread() {
        let summary = Summary::of([0.9, 1.0, 1.1]);
        assert_eq!(ratio(summary), "1.00 [0.95–1.05]");
        assert_eq!(ratio(None), "–");
    }
}
