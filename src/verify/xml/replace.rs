//! Sets the text of elements and leaves every other byte as it is, for those who make documents.

use quick_xml::{Reader, events::Event};

use super::{Path, syntax};

/// The document with another text in every element that the path leads to, each made of what stood
/// there; `None` where there is no such element, or the bytes are no XML.
pub(crate) fn replace(
    document: &str,
    path: &Path,
    value: &mut dyn FnMut(&str) -> String,
) -> Option<String> {
    let mut reader = Reader::from_str(document);
    // Whether each open element is on the path.
    let mut open: Vec<bool> = Vec::new();
    let mut begin = None;
    let mut out = String::with_capacity(document.len());
    let mut done = 0;
    loop {
        let before = usize::try_from(reader.buffer_position()).ok()?;
        match reader.read_event().ok()? {
            Event::Start(tag) => {
                let (name, depth) = (syntax::local_name(tag.name().into_inner()).ok()?, open.len());
                let is_on = open.last() != Some(&false) && path.element(depth) == Some(name);
                open.push(is_on);
                if is_on && path.ends_at(depth) && path.attribute().is_none() {
                    begin = usize::try_from(reader.buffer_position()).ok();
                }
            }
            Event::End(_) => {
                let is_on = open.pop()?;
                if let Some(begin) = begin.take_if(|_| is_on && path.ends_at(open.len())) {
                    out.push_str(document.get(done..begin)?);
                    out.push_str(&quick_xml::escape::escape(value(document.get(begin..before)?)));
                    done = before;
                }
            }
            Event::Eof => break,
            _ => {}
        }
    }
    out.push_str(document.get(done..)?);
    (done > 0).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replaced(document: &str, path: &str) -> Option<String> {
        let mut count = 0;
        replace(document, &Path::parse(path).unwrap(), &mut |old| {
            count += 1;
            format!("{old}{count}")
        })
    }

    #[test]
    fn only_the_meant_text_changes() {
        let doc = "<x:a  b='1'><b>o</b> <c><b>p</b></c><y:b >q</y:b><b/><!-- z --></x:a>";
        assert_eq!(
            replaced(doc, "/a/b").as_deref(),
            Some("<x:a  b='1'><b>o1</b> <c><b>p</b></c><y:b >q2</y:b><b/><!-- z --></x:a>")
        );
        assert_eq!(
            replaced(doc, "/a/c/b").as_deref(),
            Some(&*doc.replace("<b>p</b>", "<b>p1</b>"))
        );
        for path in ["/b", "/a/d", "/a/@b", "/a/b/c"] {
            assert_eq!(replaced(doc, path), None, "{path}");
        }
        assert_eq!(replaced("{}", "/a"), None);
        assert_eq!(replaced("<a></b>", "/a"), None);
    }
}
