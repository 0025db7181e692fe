//! Figures in pages: what stands between two marks is replaced, the rest is left alone.

use std::{fs, io, path::Path};

/// A table or a single figure, under the name by which pages ask for it.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// The name in `<!-- compare:NAME -->`.
    pub name: String,
    /// What stands between the marks; a text of several lines gets lines of its own.
    pub text: String,
}

impl Block {
    /// A block of that name.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self { name: name.into(), text: text.into() }
    }
}

/// Replaces in a file every block that was measured: how many there were.
///
/// # Errors
///
/// The file cannot be read or written, or a mark is never closed.
pub fn write(file: &Path, blocks: &[Block]) -> io::Result<usize> {
    let page = fs::read_to_string(file)?;
    let (page, count) = replace(&page, blocks)
        .map_err(|name| io::Error::other(format!("the block {name} has no {CLOSE}")))?;
    if count > 0 {
        fs::write(file, page)?;
    }
    Ok(count)
}

/// The page with the blocks in it, and how many they were. Fails with the name of an open one.
fn replace(page: &str, blocks: &[Block]) -> Result<(String, usize), String> {
    let (mut text, mut count, mut rest) = (String::new(), 0, page);
    while let Some((before, after)) = rest.split_once(OPEN) {
        let Some((name, after)) = after.split_once(" -->") else { break };
        let (old, after) = after.split_once(CLOSE).ok_or(name)?;
        if old.contains(OPEN) {
            return Err(name.into());
        }
        text += before;
        text += &format!("{OPEN}{name} -->");
        match blocks.iter().find(|block| block.name == name) {
            None => text += old,
            Some(Block { text: new, .. }) => {
                count += 1;
                let new = new.trim();
                text += &if new.contains('\n') { format!("\n{new}\n") } else { new.into() };
            }
        }
        text += CLOSE;
        rest = after;
    }
    Ok((text + rest, count))
}

const OPEN: &str = "<!-- compare:";
const CLOSE: &str = "<!-- /compare -->";

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "Costs <!-- compare:base -->?<!-- /compare --> µs.\n\n\
                        <!-- compare:sizes -->\n| old |\n<!-- /compare -->\nEnd.\n";

    #[test]
    fn figures_stand_in_the_line_and_tables_in_lines_of_their_own() {
        let blocks = [Block::new("base", "15.0"), Block::new("sizes", "| a |\n| b |\n")];
        let (page, count) = replace(PAGE, &blocks).unwrap();
        assert_eq!(count, 2);
        let wanted = "Costs <!-- compare:base -->15.0<!-- /compare --> µs.\n\n\
                      <!-- compare:sizes -->\n| a |\n| b |\n<!-- /compare -->\nEnd.\n";
        assert_eq!(page, wanted);
        assert_eq!(replace(&page, &blocks), Ok((page.clone(), 2)));
    }

    #[test]
    fn what_was_not_measured_is_left_alone() {
        assert_eq!(replace(PAGE, &[]), Ok((PAGE.into(), 0)));
        let (page, count) = replace(PAGE, &[Block::new("base", "1")]).unwrap();
        assert_eq!((page, count), (PAGE.replace('?', "1"), 1));
        assert_eq!(replace("no marks", &[Block::new("base", "1")]), Ok(("no marks".into(), 0)));
    }

    #[test]
    fn a_block_that_is_never_closed_is_not_guessed() {
        assert_eq!(replace("<!-- compare:a -->", &[]), Err("a".into()));
        let swallowing = "<!-- compare:a --> x <!-- compare:b -->1<!-- /compare -->";
        assert_eq!(replace(swallowing, &[]), Err("a".into()));
    }
}
