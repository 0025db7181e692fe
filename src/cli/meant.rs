//! What somebody who misspelt a name probably meant.

/// The known name that is closest, if it is close; case does not count.
pub(super) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let name = name.to_lowercase();
    known
        .map(|other| (strsim::damerau_levenshtein(&name, &other.to_lowercase()), other))
        .filter(|(distance, other)| distance * 3 <= other.chars().count().max(3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, other)| other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn close_names_are_offered_and_others_are_not() {
        let known = || ["github", "gitlab", "x"].into_iter();
        assert_eq!(nearest("gihtub", known()), Some("github"));
        assert_eq!(nearest("GitLab", known()), Some("gitlab"));
        assert_eq!(nearest("stripe", known()), None);
        assert_eq!(nearest("", std::iter::empty()), None);
    }
}
