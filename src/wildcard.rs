//! The one wildcard there is: `*` stands for any characters, dots included.

/// Whether the text matches the pattern.
///
/// Takes time proportional to the product of both lengths at worst, with no recursion: a pattern
/// with many stars cannot run away.
pub fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t) = (0, 0);
    // Where the last star was, and how far the text had been taken for it.
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match (pattern.get(p), text.get(t)) {
            (Some(b'*'), _) => {
                star = Some((p, t));
                p += 1;
            }
            (Some(expected), Some(actual)) if expected == actual => {
                p += 1;
                t += 1;
            }
            _ => {
                let Some((at, taken)) = star else { return false };
                star = Some((at, taken + 1));
                p = at + 1;
                t = taken + 1;
            }
        }
    }
    pattern.get(p..).is_some_and(|rest| rest.iter().all(|b| *b == b'*'))
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn stars_cross_dots() {
        assert!(matches("invoice.*", "invoice.payment.failed"));
        assert!(matches("*", "") && matches("*.paid", "a.b.paid") && matches("a*b*c", "a-b-b-c"));
        assert!(!matches("invoice.*", "invoices.x") && !matches("", "x") && !matches("a*b", "a-c"));
        assert!(matches("push", "push") && !matches("push", "pushed"));
    }

    #[test]
    fn many_stars_end_soon() {
        assert!(!matches(&"*a".repeat(200), &"a".repeat(199)));
    }
}
