//! Documents as they come, and as an attacker would send them.

use proptest::prelude::*;

use super::*;
use crate::verify::json::{Found, MAX_VALUES};

fn find(document: &str, paths: &[&str]) -> Result<Vec<Found>, NotXml> {
    let paths: Vec<_> = paths.iter().map(|p| Path::parse(p).unwrap()).collect();
    extract(document.as_bytes(), &paths)
}

fn values(document: &str, path: &str) -> Vec<String> {
    find(document, &[path]).unwrap()[0].values.iter().map(ToString::to_string).collect()
}

/// Nothing may be read from it as if it were beyond doubt.
fn in_doubt(document: &str, path: &str) -> bool {
    find(document, &[path]).map_or(true, |found| found[0].duplicate || found[0].values.len() > 1)
}

const MESSAGE: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/">
 <soapenv:Body>
  <notifications xmlns="http://soap.sforce.com/2005/09/outbound">
   <OrganizationId>00D000000000001EAA</OrganizationId>
   <SessionId xsi:nil="true"/>
   <Notification><Id>04l1</Id><sObject xsi:type="sf:Account"><sf:Id>001A</sf:Id></sObject></Notification>
   <Notification><Id>04l2</Id></Notification>
  </notifications>
 </soapenv:Body>
</soapenv:Envelope>
"#;

#[test]
fn values_are_found_by_local_names() {
    let base = "/Envelope/Body/notifications";
    assert_eq!(values(MESSAGE, &format!("{base}/OrganizationId")), ["00D000000000001EAA"]);
    assert_eq!(values(MESSAGE, &format!("{base}/Notification/Id")), ["04l1", "04l2"]);
    assert_eq!(values(MESSAGE, &format!("{base}/Notification/sObject/Id")), ["001A"]);
    assert_eq!(values(MESSAGE, &format!("{base}/Notification/sObject/@type")), ["sf:Account"]);
    assert_eq!(values(MESSAGE, &format!("{base}/SessionId/@nil")), ["true"]);
    assert_eq!(values(MESSAGE, &format!("{base}/SessionId")), [""]);
    assert!(values(MESSAGE, "/Envelope/notifications").is_empty());
    assert!(values(MESSAGE, "/Body").is_empty());
    assert!(values(MESSAGE, "/Envelope/@soapenv").is_empty(), "a namespace is no attribute");
}

#[test]
fn what_is_missing_somewhere_is_incomplete() {
    let doc = "<a><b><c>1</c></b><b/><d>2</d></a>";
    let found = find(doc, &["/a/b/c", "/a/d", "/a/x", "/z", "/a/b", "/a/d/@e"]).unwrap();
    assert_eq!(found[0].values.len(), 1);
    let incomplete: Vec<_> = found.iter().map(|f| f.incomplete).collect();
    assert_eq!(incomplete, [true, false, true, true, true, true]);
    assert!(found[4].reached && !found[2].reached, "an element with elements is there, unreadable");
    assert_eq!(found[4].values.len(), 1, "the empty one has a text");
}

#[test]
fn an_element_that_is_there_twice_has_two_values() {
    assert_eq!(values("<a><b>1</b><b>2</b></a>", "/a/b"), ["1", "2"]);
    assert_eq!(values("<a><x:b>1</x:b><b>2</b></a>", "/a/b"), ["1", "2"]);
    assert_eq!(values("<a><b>1</b><c/><b>1</b></a>", "/a/b"), ["1", "1"]);
    assert!(in_doubt("<a><b x:c='1' y:c='2'/></a>", "/a/b/@c"));
}

#[test]
fn text_is_put_together() {
    assert_eq!(values("<a>x&amp;&#x3c;&#62;<![CDATA[<&y]]></a>", "/a"), ["x&<><&y"]);
    assert_eq!(values("<a>\r\n x </a>", "/a"), ["\n x "]);
    assert_eq!(values("<a b=' 1&quot;&#50;\n'/>", "/a/@b"), [" 1\"2 "]);
    assert_eq!(values("\u{feff}<a>1</a>", "/a"), ["1"]);
    assert_eq!(values("<?xml version='1.0'?><!-- c --><?p?><a>1</a>\n<!-- c -->", "/a"), ["1"]);
}

#[test]
fn text_that_is_interrupted_is_in_doubt() {
    for doc in [
        "<a><b>00D<!-- -->x</b></a>",
        "<a><b><!-- -->00D</b></a>",
        "<a><b>00D<?p x?></b></a>",
        "<a><b>1</b><b>2<!-- --></b></a>",
    ] {
        assert!(in_doubt(doc, "/a/b"), "{doc}");
    }
    assert_eq!(values("<a><!-- c --><b>1</b></a>", "/a/b"), ["1"]);
    let found = find("<a><b>1<c/></b></a>", &["/a/b"]).unwrap();
    assert!(found[0].values.is_empty() && found[0].incomplete);
}

#[test]
fn what_is_not_one_plain_document() {
    let deep = |n: usize| format!("{}{}", "<a>".repeat(n), "</a>".repeat(n));
    assert!(find(&deep(64), &["/a"]).is_ok());
    let attributes = |n: usize| {
        let all: String = (0..n).map(|i| format!(" a{i}='1'")).collect();
        format!("<a{all}/>")
    };
    assert!(find(&attributes(64), &["/a"]).is_ok());
    let bomb = "<!DOCTYPE a [<!ENTITY x 'y'><!ENTITY z '&x;&x;'>]><a>&z;</a>";
    for doc in [
        "",
        " ",
        "x",
        "{}",
        "<a>",
        "<a></b>",
        "</a>",
        "<a/><b/>",
        "<a/>x",
        "<a/><![CDATA[]]>",
        "<a/>&amp;",
        "<a/",
        "<a><b></a></b>",
        bomb,
        "<!DOCTYPE a SYSTEM 'file:///etc/hosts'><a/>",
        "<!DOCTYPE a><a/>",
        "<a><!DOCTYPE a></a>",
        "<a>&x;</a>",
        "<a>&amp</a>",
        "<a>&#0;</a>",
        "<a>&#1;</a>",
        "<a>&#xD800;</a>",
        "<a>&#x110000;</a>",
        "<a>\u{1}</a>",
        "<a>\u{ffff}</a>",
        "<a b='&x;'/>",
        "<a b='<'/>",
        "<a b='1' b='1'/>",
        "<a b=1/>",
        "<a b/>",
        "<a b='\u{1}'/>",
        "<1a/>",
        "<a:b:c/>",
        "<:a/>",
        "<a<b/>",
        "<a><!-- -- --></a>",
        " <?xml version='1.0'?><a/>",
        "<a><?xml version='1.0'?></a>",
        "<?xml version='1.1'?><a/>",
        "<?xml version='1.0' encoding='UTF-7'?><a/>",
        "<?xml version='1.0' encoding='iso-8859-1'?><a/>",
        "<?xml version='1.0' encoding='UTF-16'?><a/>",
        &deep(65),
        &deep(100_000),
        &"<a>".repeat(100_000),
        &attributes(65),
    ] {
        assert_eq!(find(doc, &["/a"]), Err(NotXml), "{}", doc.get(..60).unwrap_or(doc));
    }
    for bytes in [&b"\xff\xfe<\0a\0/\0>\0"[..], b"<a>\xe9</a>", b"\0<\0a\0/\0>"] {
        assert_eq!(extract(bytes, &[Path::parse("/a").unwrap()]), Err(NotXml));
    }
}

#[test]
fn many_values_are_bounded() {
    let doc = format!("<a>{}</a>", "<b>1</b>".repeat(MAX_VALUES + 1));
    let found = &find(&doc, &["/a/b"]).unwrap()[0];
    assert!(found.values.len() == MAX_VALUES && found.incomplete);
}

proptest! {
    #[test]
    fn no_input_panics(doc in proptest::collection::vec(any::<u8>(), 0..200)) {
        let paths = ["/a", "/a/b", "/a/@b"].map(|p| Path::parse(p).unwrap());
        drop(extract(&doc, &paths));
    }

    #[test]
    fn no_markup_panics(doc in "(<|>|/|a|b|'|\"|=|&|;|!|--|\\?|\\[|\\]|CDATA|x:| |<a>|</a>|<b/>){0,40}") {
        let paths = ["/a", "/a/b", "/a/@b"].map(|p| Path::parse(p).unwrap());
        drop(extract(doc.as_bytes(), &paths));
    }

    #[test]
    fn what_is_written_is_read(text in "[a-zéß&<>\"' ]{0,20}", sister in "[a-z&<]{0,9}") {
        let escape = |t: &str| t.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&#34;");
        let doc = format!("<x:a y=\"{}\"><b>{}</b><c>{}</c></x:a>", escape(&text), escape(&text), escape(&sister));
        prop_assert_eq!(values(&doc, "/a/b"), [text.clone()]);
        prop_assert_eq!(values(&doc, "/a/@y"), [text]);
        prop_assert_eq!(values(&doc, "/a/c"), [sister]);
    }
}
