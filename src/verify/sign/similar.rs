//! Fresh ids that look like a given one.

/// An id of the same shape: hexadecimal stays hexadecimal, digits stay digits, a prefix that ends
/// in an underscore stays as it is.
pub(super) fn similar(sample: &str, random: &mut fastrand::Rng) -> String {
    let (prefix, rest) = match sample.rsplit_once('_') {
        Some((prefix, rest)) if !rest.is_empty() => (format!("{prefix}_"), rest),
        _ => (String::new(), sample),
    };
    let hex = rest.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
    let fresh = rest.chars().enumerate().map(|(at, c)| match c {
        '0'..='9' if at == 0 => random.char('1'..='9'),
        '0'..='9' => random.digit(10),
        'a'..='z' if hex => random.char('a'..='f'),
        'A'..='Z' if hex => random.char('A'..='F'),
        'a'..='z' => random.lowercase(),
        'A'..='Z' => random.uppercase(),
        other => other,
    });
    prefix + &fresh.collect::<String>()
}

/// A random UUID (version 4).
pub(super) fn uuid(random: &mut fastrand::Rng) -> String {
    let bits = random.u128(..) & !(0xf000_u128 << 64) & !(0xc000_u128 << 48);
    let bits = bits | (0x4000_u128 << 64) | (0x8000_u128 << 48);
    let hex = format!("{bits:032x}");
    let mut parts = [8, 4, 4, 4, 12].into_iter();
    let mut out = String::with_capacity(36);
    let mut left = parts.next().unwrap_or_default();
    for digit in hex.chars() {
        if left == 0 {
            out.push('-');
            left = parts.next().unwrap_or_default();
        }
        out.push(digit);
        left -= 1;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shape_stays_and_the_rest_changes() {
        let mut random = fastrand::Rng::with_seed(7);
        for sample in
            ["evt_1SampleInvoicePaid", "10000", "72d3162e-cc78-11e3-81ab-4c9367dc0958", "EV123"]
        {
            let fresh = similar(sample, &mut random);
            assert_eq!(fresh.len(), sample.len());
            assert_ne!(fresh, sample);
            assert!(
                fresh
                    .chars()
                    .zip(sample.chars())
                    .all(|(f, s)| f.is_ascii_digit() == s.is_ascii_digit())
            );
        }
        assert!(similar("evt_1A", &mut random).starts_with("evt_"));
        assert!(similar("00", &mut random).parse::<u8>().unwrap() >= 10);
    }

    #[test]
    fn uuids_are_of_version_4() {
        let mut random = fastrand::Rng::with_seed(7);
        let (one, two) = (uuid(&mut random), uuid(&mut random));
        assert_ne!(one, two);
        for id in [one, two] {
            let lengths: Vec<_> = id.split('-').map(str::len).collect();
            assert_eq!(lengths, [8, 4, 4, 4, 12], "{id}");
            assert_eq!(id.as_bytes()[14], b'4');
            assert!(matches!(id.as_bytes()[19], b'8' | b'9' | b'a' | b'b'));
        }
    }
}
