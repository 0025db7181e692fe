//! Sets of HTTP statuses.

use std::fmt;

/// A set of HTTP statuses, written as `"2xx"` or `"204"`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusSet(Vec<(u16, u16)>);

impl StatusSet {
    /// Reads patterns such as `"2xx"`, `"4xx"` or `"410"`; `None` for anything else.
    pub fn parse<'a>(patterns: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        patterns.into_iter().map(status_range).collect::<Option<Vec<_>>>().map(Self)
    }

    /// Whether the status is in the set.
    pub fn contains(&self, status: u16) -> bool {
        self.0.iter().any(|(low, high)| (*low..=*high).contains(&status))
    }

    /// Whether there is none in it.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether every 2xx status is in the set.
    pub fn contains_all_success(&self) -> bool {
        (200..300).all(|status| self.contains(status))
    }
}

impl fmt::Display for StatusSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, (low, high)) in self.0.iter().enumerate() {
            f.write_str(if number == 0 { "" } else { ", " })?;
            match low == high {
                true => write!(f, "{low}")?,
                false => write!(f, "{}xx", low / 100)?,
            }
        }
        Ok(())
    }
}

fn status_range(pattern: &str) -> Option<(u16, u16)> {
    if let Some(class) = pattern.strip_suffix("xx") {
        let class = class.parse::<u16>().ok().filter(|c| (1..=5).contains(c))?;
        return Some((class * 100, class * 100 + 99));
    }
    let status = pattern.parse::<u16>().ok().filter(|s| (100..600).contains(s))?;
    (pattern.len() == 3).then_some((status, status))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_patterns() {
        let set = StatusSet::parse(["2xx", "410"]).unwrap();
        assert!(set.contains(299) && set.contains(410) && !set.contains(411));
        assert!(set.contains_all_success() && !set.is_empty());
        assert_eq!(set.to_string(), "2xx, 410");
        for bad in ["", "xx", "6xx", "0xx", "99", "20", "2x", "abc", "2000"] {
            assert_eq!(StatusSet::parse([bad]), None, "{bad}");
        }
    }
}
