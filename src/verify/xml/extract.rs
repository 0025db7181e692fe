//! Finds the values of a few paths in one pass over the bytes, without building a tree.

use quick_xml::{
    Reader,
    events::{BytesStart, Event},
};
use smallvec::SmallVec;

use super::{Path, syntax};
use crate::verify::json::{Found, MAX_VALUES};

/// The bytes are not one XML document of the kind that is read here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotXml;

/// Deeper documents are refused.
const MAX_DEPTH: usize = 64;

/// Looks all paths up; the results are in their order.
///
/// Several elements of one name yield all their values. An element with elements in it has no value,
/// and one whose text is interrupted by a comment or an instruction is in doubt: some readers take
/// only what stands before it.
///
/// # Errors
///
/// Where the bytes are not one document in whole, declare a document type, use an entity of their
/// own, are in another encoding than UTF-8, or are nested too deeply.
pub(crate) fn extract(document: &[u8], paths: &[Path]) -> Result<Vec<Found>, NotXml> {
    let text = std::str::from_utf8(document).map_err(|_| NotXml)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = Reader::from_str(text);
    let config = reader.config_mut();
    config.expand_empty_elements = true;
    config.check_comments = true;
    let mut walk = Walk::over(paths);
    loop {
        match reader.read_event().map_err(|_| NotXml)? {
            Event::Eof => return walk.end(),
            event => walk.take(event)?,
        }
    }
}

/// Indices of paths.
type Active = SmallVec<[usize; 8]>;

struct Walk<'p> {
    paths: &'p [Path],
    found: Vec<Found>,
    open: Vec<Element>,
    /// Something other than the root's start was read; a declaration may only come before it.
    begun: bool,
    has_root: bool,
}

/// An element that has begun and not ended.
#[derive(Default)]
struct Element {
    /// The paths that lead further down.
    through: Active,
    /// Those of them for which there was an element.
    met: Active,
    /// The paths that end here.
    ending: Active,
    /// The text so far, if it is anybody's.
    text: String,
    has_elements: bool,
    is_in_doubt: bool,
}

impl<'p> Walk<'p> {
    fn over(paths: &'p [Path]) -> Self {
        let found = vec![Found::default(); paths.len()];
        Self { paths, found, open: Vec::new(), begun: false, has_root: false }
    }

    fn take(&mut self, event: Event<'_>) -> Result<(), NotXml> {
        let begun = std::mem::replace(&mut self.begun, true);
        match event {
            Event::Decl(declaration) if !begun => syntax::declaration(&declaration),
            Event::Start(tag) => self.start(&tag),
            Event::End(_) => self.close(),
            Event::Text(text) => self.text(&text.xml10_content()),
            Event::CData(text) if !self.open.is_empty() => self.text(&text.xml10_content()),
            Event::GeneralRef(reference) if !self.open.is_empty() => {
                let mut buffer = [0; 4];
                let text = syntax::reference(&reference)?.encode_utf8(&mut buffer);
                self.text(text)
            }
            Event::Comment(_) | Event::PI(_) => {
                if let Some(element) = self.open.last_mut() {
                    element.is_in_doubt = true;
                }
                Ok(())
            }
            _ => Err(NotXml),
        }
    }

    fn start(&mut self, tag: &BytesStart<'_>) -> Result<(), NotXml> {
        let depth = self.open.len();
        if depth == MAX_DEPTH || (depth == 0 && self.has_root) {
            return Err(NotXml);
        }
        self.has_root = true;
        let name = syntax::local_name(tag.name().into_inner())?;
        let attributes = syntax::attributes(tag)?;
        let mut element = Element::default();
        for path in self.meet(name, depth) {
            match self.paths.get(path) {
                Some(p) if !p.ends_at(depth) => element.through.push(path),
                Some(p) => match p.attribute() {
                    Some(name) => self.attribute(path, name, &attributes),
                    None => element.ending.push(path),
                },
                None => {}
            }
        }
        self.open.push(element);
        Ok(())
    }

    /// The paths that this element is on.
    fn meet(&mut self, name: &str, depth: usize) -> Active {
        let paths = self.paths;
        let is_on = |path: &usize| paths.get(*path).and_then(|p| p.element(depth)) == Some(name);
        let Some(parent) = self.open.last_mut() else {
            let (on, off): (Active, Active) = (0..paths.len()).partition(is_on);
            self.incomplete(&off);
            return on;
        };
        parent.has_elements = true;
        let on: Active = parent.through.iter().copied().filter(is_on).collect();
        for path in &on {
            if !parent.met.contains(path) {
                parent.met.push(*path);
            }
        }
        on
    }

    fn attribute(&mut self, path: usize, name: &str, attributes: &[syntax::Attribute<'_>]) {
        let Some(found) = self.found.get_mut(path) else { return };
        let mut values = attributes.iter().filter(|(local, _)| *local == name);
        match (values.next(), values.next()) {
            (Some((_, value)), None) => add(found, value),
            (None, _) => found.incomplete = true,
            // Of two namespaces.
            (Some(_), Some(_)) => found.duplicate = true,
        }
    }

    fn text(&mut self, text: &str) -> Result<(), NotXml> {
        if !text.chars().all(syntax::is_char) {
            return Err(NotXml);
        }
        match self.open.last_mut() {
            Some(element) if element.ending.is_empty() => {}
            Some(element) => element.text.push_str(text),
            None if text.bytes().all(|b| b" \t\r\n".contains(&b)) => {}
            None => return Err(NotXml),
        }
        Ok(())
    }

    fn close(&mut self) -> Result<(), NotXml> {
        let element = self.open.pop().ok_or(NotXml)?;
        for path in &element.ending {
            let Some(found) = self.found.get_mut(*path) else { continue };
            found.reached = true;
            if element.has_elements {
                found.incomplete = true;
            } else if element.is_in_doubt {
                found.duplicate = true;
            } else {
                add(found, &element.text);
            }
        }
        let missing: Active =
            element.through.iter().copied().filter(|p| !element.met.contains(p)).collect();
        self.incomplete(&missing);
        Ok(())
    }

    fn incomplete(&mut self, paths: &[usize]) {
        for path in paths {
            if let Some(found) = self.found.get_mut(*path) {
                found.incomplete = true;
            }
        }
    }

    fn end(self) -> Result<Vec<Found>, NotXml> {
        (self.has_root && self.open.is_empty()).then_some(self.found).ok_or(NotXml)
    }
}

fn add(found: &mut Found, value: &str) {
    found.reached = true;
    if found.values.len() < MAX_VALUES {
        found.values.push(value.into());
    } else {
        found.incomplete = true;
    }
}
