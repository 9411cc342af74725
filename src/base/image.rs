//! The names of images, as Docker writes them: `registry:5000/shop/argus:v1.2.0@sha256:...`.

use std::fmt;

/// A repository, with a tag, a digest, or both. By its digest an image is the same one everywhere and always.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    pub repository: String,
    pub tag: Option<String>,
    /// With the algorithm before it: `sha256:...`.
    pub digest: Option<String>,
}

impl Reference {
    /// # Errors
    /// In words, when it is not the name of an image.
    pub fn parse(text: &str) -> Result<Reference, String> {
        let refused = || format!("`{text}` is not the name of an image");
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) if is_digest(digest) => (rest, Some(digest.to_owned())),
            Some(_) => return Err(refused()),
            None => (text, None),
        };
        // A colon before a slash is that of a registry's port.
        let (repository, tag) = match rest.rsplit_once(':') {
            Some((repository, tag)) if !tag.contains('/') => (repository, Some(tag.to_owned())),
            _ => (rest, None),
        };
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || "._/:-".contains(c);
        let is_named =
            repository.starts_with(|c: char| c.is_ascii_alphanumeric()) && repository.chars().all(is_allowed);
        if !is_named || tag.as_deref().is_some_and(|tag| !is_tag(tag)) {
            return Err(refused());
        }
        Ok(Reference { repository: repository.to_owned(), tag, digest })
    }

    /// What stands behind the repository: `v1.2.0@sha256:...`. Nothing where there is no tag.
    pub fn pin(&self) -> Option<String> {
        let tag = self.tag.as_ref()?;
        Some(match &self.digest {
            Some(digest) => format!("{tag}@{digest}"),
            None => tag.clone(),
        })
    }

    /// What people call it: its tag, or as much of its digest as Docker shows.
    pub fn version(&self) -> String {
        match (&self.tag, &self.digest) {
            (Some(tag), _) => tag.clone(),
            (None, Some(digest)) => short(digest).to_owned(),
            (None, None) => "latest".to_owned(),
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.repository)?;
        self.tag.iter().try_for_each(|tag| write!(f, ":{tag}"))?;
        self.digest.iter().try_for_each(|digest| write!(f, "@{digest}"))
    }
}

/// Whether it can be a tag, as the distribution specification has it.
pub fn is_tag(text: &str) -> bool {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    text.len() <= 128
        && text.chars().all(is_allowed)
        && text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
}

fn is_digest(text: &str) -> bool {
    let hex = text.strip_prefix("sha256:").unwrap_or_default();
    hex.len() == 64 && hex.chars().all(|c| c.is_ascii_hexdigit())
}

/// As much of a digest as people compare.
pub fn short(digest: &str) -> &str {
    let digest = digest.strip_prefix("sha256:").unwrap_or(digest);
    digest.get(..12).unwrap_or(digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_taken_apart_and_put_together_again() {
        let digest = format!("sha256:{}", "ab".repeat(32));
        for (text, repository, tag) in [
            ("argus", "argus", None),
            ("argus:v1", "argus", Some("v1")),
            ("registry:5000/shop/argus", "registry:5000/shop/argus", None),
            ("registry:5000/shop/argus:v1.2.0", "registry:5000/shop/argus", Some("v1.2.0")),
        ] {
            for (text, with) in [(text.to_owned(), None), (format!("{text}@{digest}"), Some(&digest))] {
                let read = Reference::parse(&text).unwrap();
                let parts = (read.repository.as_str(), read.tag.as_deref(), read.digest.as_ref());
                assert_eq!(parts, (repository, tag, with));
                assert_eq!(read.to_string(), text);
            }
        }
    }

    #[test]
    fn what_docker_could_take_for_something_else_is_refused() {
        for text in
            ["", "-v", "a b", "argus:", "argus:v1 v2", "argus@sha256:12", "argus:$(id)", "/argus", "argus:-x"]
        {
            assert!(Reference::parse(text).is_err(), "{text}");
        }
    }
}
