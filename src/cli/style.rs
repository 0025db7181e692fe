//! How output looks: colours on a terminal only, aligned columns everywhere.

use std::{
    fmt::{self, Write as _},
    io::{IsTerminal as _, Write as _},
};

use super::Exit;

/// Whether output is coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    colours: bool,
}

/// What a colour stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ink {
    /// Refused, wrong.
    Bad,
    /// Set apart without a verdict, such as a heading.
    Bold,
    /// Of less interest.
    Dim,
    /// Admitted, right.
    Good,
    /// Worth a look.
    Warn,
}

impl Style {
    /// For standard output: coloured if it is a terminal and nobody objects.
    pub fn stdout() -> Self {
        Self { colours: std::io::stdout().is_terminal() && wanted() }
    }

    /// For standard error.
    pub fn stderr() -> Self {
        Self { colours: std::io::stderr().is_terminal() && wanted() }
    }

    /// Without colours.
    pub const fn plain() -> Self {
        Self { colours: false }
    }

    /// Whether there are colours, as on a terminal.
    pub const fn has_colours(self) -> bool {
        self.colours
    }

    /// The text in a colour, if there are colours.
    pub const fn paint<T: fmt::Display>(self, ink: Ink, text: T) -> Painted<T> {
        Painted { style: self, ink, text }
    }
}

/// `NO_COLOR` set to anything but nothing, or a terminal that says it is dumb, means no.
fn wanted() -> bool {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    set("NO_COLOR").is_none() && set("TERM").is_none_or(|term| term != "dumb")
}

/// A text in a colour.
#[derive(Clone, Copy, Debug)]
pub struct Painted<T> {
    style: Style,
    ink: Ink,
    text: T,
}

impl<T: fmt::Display> fmt::Display for Painted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.style.colours {
            return self.text.fmt(f);
        }
        let code = match self.ink {
            Ink::Bad => "1;31",
            Ink::Bold => "1",
            Ink::Dim => "2",
            Ink::Good => "32",
            Ink::Warn => "33",
        };
        write!(f, "\x1b[{code}m")?;
        self.text.fmt(f)?;
        f.write_str("\x1b[0m")
    }
}

/// Aligned columns; the last one is as long as its texts.
#[derive(Debug, Default)]
pub struct Table {
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    ink: Option<Ink>,
    cells: Vec<String>,
}

impl Table {
    /// A table with a heading.
    pub fn new(heading: &[&str]) -> Self {
        let mut table = Self::default();
        table.push(Some(Ink::Dim), heading.iter().map(|cell| (*cell).to_owned()).collect());
        table
    }

    /// Adds a row, coloured as a whole if an ink is given.
    pub fn push(&mut self, ink: Option<Ink>, cells: Vec<String>) {
        let cells = cells.into_iter().map(|cell| one_line(&cell)).collect();
        self.rows.push(Row { ink, cells });
    }

    /// The table as text, each row ended by a line break.
    pub fn render(&self, style: Style) -> String {
        let columns = self.rows.iter().map(|row| row.cells.len()).max().unwrap_or(0);
        let width = |at: usize| {
            let lengths = self.rows.iter().filter_map(|row| row.cells.get(at));
            lengths.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let mut out = String::new();
        for row in &self.rows {
            let mut line = String::new();
            for (cell, width) in row.cells.iter().zip(&widths) {
                if !line.is_empty() {
                    line.push_str("  ");
                }
                let _infallible = write!(line, "{cell:width$}");
            }
            let line = line.trim_end();
            let _infallible = match row.ink {
                Some(ink) => writeln!(out, "{}", style.paint(ink, line)),
                None => writeln!(out, "{line}"),
            };
        }
        out
    }
}

/// Writes to standard output. A reader that has gone away, such as `head`, is no failure.
pub fn print(text: &str) -> Exit {
    print_bytes(text.as_bytes())
}

/// Writes to standard output what may be no text, as [`print()`] does.
pub fn print_bytes(bytes: &[u8]) -> Exit {
    let mut out = std::io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            failed(&format!("cannot write: {error}"))
        }
        _ => Exit::Yes,
    }
}

/// Says on standard error why the call is wrong.
pub fn usage(message: &str) -> Exit {
    failed(message);
    Exit::Usage
}

/// Says on standard error what failed.
pub fn failed(message: &str) -> Exit {
    eprintln!("{} {}", Style::stderr().paint(Ink::Bad, "error:"), one_line(message));
    Exit::No
}

/// The text with what could move a terminal's cursor replaced.
pub fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_nothing_trails() {
        let mut table = Table::new(&["KEY", "VALUE"]);
        table.push(None, vec!["tolerance".into(), "\"5m\"".into()]);
        table.push(None, vec!["ü".into(), "x\ny".into()]);
        assert_eq!(
            table.render(Style::plain()),
            "KEY        VALUE\ntolerance  \"5m\"\nü          x\u{fffd}y\n"
        );
    }

    #[test]
    fn colours_are_the_terminals_business() {
        assert_eq!(Style::plain().paint(Ink::Bad, "no").to_string(), "no");
        let coloured = Style { colours: true };
        assert_eq!(coloured.paint(Ink::Good, "yes").to_string(), "\u{1b}[32myes\u{1b}[0m");
    }
}
