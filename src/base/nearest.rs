//! "Did you mean": the name that was most likely meant, and lists of names for messages.

/// The name among `known` that `given` is most likely a slip of; none when nothing is close.
pub fn nearest<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = given.to_lowercase();
    known
        .into_iter()
        .map(|name| {
            let mut score = strsim::jaro_winkler(&lower, &name.to_lowercase());
            // One edit in a short word is a slip too, though little of it is left.
            if strsim::damerau_levenshtein(&lower, &name.to_lowercase()) <= 1 + given.len() / 6 {
                score = score.max(0.9);
            }
            (score, name)
        })
        .filter(|(score, _)| *score >= 0.84)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, name)| name)
}

/// The names in backticks: "`a`, `b` and `c`"; "none" when there are none.
pub fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let mut names: Vec<_> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match names.pop() {
        None => "none".to_owned(),
        Some(only) if names.is_empty() => only,
        Some(last) => format!("{} and {last}", names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_the_name_that_was_meant() {
        let known = ["service", "instance", "database", "app"];
        assert_eq!(nearest("databse", known), Some("database"));
        assert_eq!(nearest("Services", known), Some("service"));
        assert_eq!(nearest("ap", known), Some("app"));
        assert_eq!(nearest("zebra", known), None);
    }

    #[test]
    fn names_are_listed_as_a_person_would() {
        assert_eq!(listed([]), "none");
        assert_eq!(listed(["a"]), "`a`");
        assert_eq!(listed(["a", "b", "c"]), "`a`, `b` and `c`");
    }
}
