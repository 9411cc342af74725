//! What is let go of when a disk has to get room: a kind of things for each action, each of them looked at again right before it goes.
//!
//! Every action is given what may go, as far as that can be listed, and how much is to be free: it stops as soon as that is so. What may
//! not go any more is left, and said, and is no failure. The last line tells what was gained.

use super::place;
use super::server::shipped;
use crate::base::image::Reference;
use crate::base::percent::Percent;
use crate::model::operation::Operation;

pub(super) mod builds;
pub(super) mod containers;
pub(super) mod files;
pub(super) mod images;
pub(super) mod journal;
pub(super) mod logs;
pub(super) mod networks;

/// How room is measured, and how it is said what goes.
pub(super) const CLEANUP: &str = include_str!("cleanup.sh");

/// How Docker is asked.
pub(super) const DOCKER: &str = include_str!("docker.sh");

/// How a folder is entered.
const FOLDER: &str = include_str!("folder.sh");

/// When a cleanup is over, whatever is left.
struct Goal<'a> {
    at: &'a str,
    until_free: Percent,
}

impl Goal<'_> {
    /// A script with that goal: what else it is given as variables, and its parts.
    ///
    /// # Errors
    /// In words, when it names no path.
    fn script(
        &self,
        name: &str,
        given: impl IntoIterator<Item = (&'static str, String)>,
        parts: &[&str],
    ) -> Result<Operation, String> {
        let hundredths = (self.until_free.0 * 100.0).round();
        let goal = [("at", path(self.at)?.to_owned()), ("until_free", hundredths.to_string())];
        let parts = [&[CLEANUP], parts].concat().into_iter().map(shipped);
        let body = format!("{}\nfreed", parts.collect::<Vec<_>>().join("\n"));
        Ok(place::naming_script(name, goal.into_iter().chain(given), body))
    }
}

/// An absolute path that means one place, whoever reads it.
///
/// # Errors
/// In words, when it is none.
pub(super) fn path(path: &str) -> Result<&str, String> {
    let is_plain = |part: &str| !part.is_empty() && part != "." && part != "..";
    let is_whole = path == "/" || path.strip_prefix('/').is_some_and(|rest| rest.split('/').all(is_plain));
    if !is_whole || path.contains(char::is_control) {
        return Err(format!("`{}` is not an absolute path", path.escape_debug()));
    }
    Ok(path)
}

/// The id of a container or a network.
///
/// # Errors
/// In words, when it is none.
fn id(id: &str) -> Result<&str, String> {
    if (12..=64).contains(&id.len()) && id.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f')) {
        Ok(id)
    } else {
        Err(format!("`{}` is not an id as Docker writes it", id.escape_debug()))
    }
}

/// The whole id of an image.
///
/// # Errors
/// In words, when it is none.
pub(super) fn image_id(text: &str) -> Result<&str, String> {
    match text.strip_prefix("sha256:") {
        Some(hex) if hex.len() == 64 && id(hex).is_ok() => Ok(text),
        _ => Err(format!("`{}` is not the whole id of an image", text.escape_debug())),
    }
}

/// One name of an image, which is one word.
///
/// # Errors
/// In words, when it is none.
fn image_name(name: &str) -> Result<&str, String> {
    Reference::parse(name).map(|_| name)
}

/// What a container, a volume or a network is called.
///
/// # Errors
/// In words, when that could be taken for something else.
pub(super) fn name(name: &str) -> Result<&str, String> {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || "_.- ".contains(c);
    let is_begun = name.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
    if is_begun && !name.ends_with(' ') && name.chars().all(is_allowed) {
        Ok(name)
    } else {
        Err(format!("`{}` is not a name as Docker takes it", name.escape_debug()))
    }
}

/// Each on a line of its own.
///
/// # Errors
/// Those of `line`, for the first that has one; in words, when there is none.
pub(super) fn lines<T>(
    what: &str,
    all: &[T],
    line: impl Fn(&T) -> Result<String, String>,
) -> Result<String, String> {
    if all.is_empty() {
        return Err(format!("the list of {what} is empty"));
    }
    Ok(all.iter().map(line).collect::<Result<Vec<_>, _>>()?.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_script_is_given_can_mean_only_one_thing() {
        for good in ["/", "/var/log", "/srv/two words", "/tmp/-x"] {
            assert_eq!(path(good), Ok(good));
        }
        for bad in ["", "var", "/var/", "//var", "/var/../etc", "/./x", "/a\nb", "/\u{7f}"] {
            assert!(path(bad).is_err(), "{bad:?}");
        }
        let hex = "ab".repeat(32);
        let image = format!("sha256:{hex}");
        assert_eq!((id(&hex), image_id(&image)), (Ok(hex.as_str()), Ok(image.as_str())));
        for bad in ["", "-f", "0123456789aB", "0123456789ab\n", "$(id)abcdefghi", "0123"] {
            assert!(id(bad).is_err() && image_id(bad).is_err(), "{bad:?}");
        }
        assert!(image_id(&hex).is_err() && image_id("sha256:0123456789ab").is_err());
        for bad in ["", "-f", " a", "a ", "a\nb", "a;b", "$(id)", "é"] {
            assert!(name(bad).is_err(), "{bad:?}");
        }
        assert_eq!(name("opareta_argus-1.old"), Ok("opareta_argus-1.old"));
    }
}
