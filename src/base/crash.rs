//! Named places at which a test lets the process die, and a disk that loses what was not made durable.
//!
//! Only with the feature `crash-points`, which no release has; without it a point is nothing. Then the environment says:
//!
//! | variable | meaning |
//! |---|---|
//! | `OPSCTL_CRASH_AT=NAME` or `NAME:N` | the process ends itself with SIGKILL when it passes the point for the first, or the Nth, time |
//! | `OPSCTL_CRASH_DO=COMMAND` | it lives on there, once the shell has run the command |
//! | `OPSCTL_CRASH_LOG=FILE` | every point that is passed is appended to the file, one name a line |
//! | `OPSCTL_LOSSY_DISK=1` | what the journal wrote and did not sync is lost when the process dies |
//! | `OPSCTL_LOSSY_SEED=N` | decides what of it is lost; 0 where it is absent |

/// Every point there is. A test holds that each is passed in one place of the source, and no other is.
pub const POINTS: &[&str] = &[
    "blob.kept",
    "blob.put",
    "engine.outcome",
    "engine.performed",
    "engine.step_followed",
    "engine.step_started",
    "host.answered",
    "host.sent",
    "import.aside",
    "import.made",
    "journal.append",
    "journal.synced",
    "journal.written",
    "lease.given_back",
    "lease.taken",
    "lock.taken",
    "run.made",
    "run.renamed",
];

#[cfg(feature = "crash-points")]
pub use armed::{check, lossy_seed, point};

/// The process passes a point.
#[cfg(not(feature = "crash-points"))]
#[inline(always)]
pub fn point(_name: &str) {}

/// Whether the environment asks for a crash that can be made.
///
/// # Errors
/// Never, without the feature.
#[cfg(not(feature = "crash-points"))]
pub fn check() -> super::Result<()> {
    Ok(())
}

#[cfg(feature = "crash-points")]
mod armed {
    use std::collections::BTreeMap;
    use std::env;
    use std::fs::OpenOptions;
    use std::io::Write;
    use std::path::PathBuf;
    use std::process::Command;
    use std::sync::{LazyLock, Mutex};
    use std::thread;

    use rustix::process::{Signal, getpid, kill_process};

    use super::POINTS;
    use crate::base::{Error, Result};

    /// What the environment asks for.
    #[derive(Debug, Default, PartialEq, Eq)]
    struct Wish {
        crash_at: Option<(&'static str, u32)>,
        instead: Option<String>,
        log: Option<PathBuf>,
        lossy_seed: Option<u64>,
    }

    static WISH: LazyLock<Result<Wish>> = LazyLock::new(|| Wish::of(|name| env::var(name).ok()));
    static PASSED: Mutex<BTreeMap<&'static str, u32>> = Mutex::new(BTreeMap::new());

    impl Wish {
        fn of(variable: impl Fn(&str) -> Option<String>) -> Result<Wish> {
            let number = |name, text: &str| {
                text.parse().map_err(|_| Error::usage(format!("`{name}` is no number: `{text}`")))
            };
            let crash_at = variable("OPSCTL_CRASH_AT").map(|text| place(&text)).transpose()?;
            let lossy_seed = match variable("OPSCTL_LOSSY_DISK").as_deref() {
                None | Some("" | "0") => None,
                Some(_) => match variable("OPSCTL_LOSSY_SEED") {
                    Some(seed) => Some(number("OPSCTL_LOSSY_SEED", &seed)?),
                    None => Some(0),
                },
            };
            let (instead, log) =
                (variable("OPSCTL_CRASH_DO"), variable("OPSCTL_CRASH_LOG").map(PathBuf::from));
            Ok(Wish { crash_at, instead, log, lossy_seed })
        }
    }

    fn place(text: &str) -> Result<(&'static str, u32)> {
        let (name, passing) = text.split_once(':').unwrap_or((text, "1"));
        let wrong = |message: String| Error::usage(message).detail(POINTS.join("\n"));
        let point = POINTS.iter().find(|point| **point == name);
        let point = point.ok_or_else(|| wrong(format!("there is no crash point `{name}`")))?;
        let passing = passing.parse().ok().filter(|passing| *passing > 0);
        let passing = passing.ok_or_else(|| wrong(format!("`{text}` does not say at which passing")))?;
        Ok((point, passing))
    }

    /// Whether the environment asks for a crash that can be made.
    ///
    /// # Errors
    /// [`Kind::Usage`](crate::base::Kind::Usage) with all points, when it names none of them.
    pub fn check() -> Result<()> {
        WISH.as_ref().map(|_| ()).map_err(Clone::clone)
    }

    /// The seed of a disk that loses what was not synced; nothing where the disk is as it is.
    pub fn lossy_seed() -> Option<u64> {
        WISH.as_ref().ok()?.lossy_seed
    }

    /// The process passes a point, and may not get beyond it.
    ///
    /// # Panics
    /// When there is no such point, or what a test asks for cannot be done: the test would prove nothing.
    pub fn point(name: &str) {
        let name = POINTS.iter().find(|point| **point == name).expect("every crash point is on the list");
        let Ok(wish) = WISH.as_ref() else { return };
        if let Some(log) = &wish.log {
            let line = format!("{name}\n");
            let written = OpenOptions::new().append(true).create(true).open(log);
            let written = written.and_then(|mut log| log.write_all(line.as_bytes()));
            written.expect("`OPSCTL_CRASH_LOG` can be written");
        }
        let Some((at, passing)) = wish.crash_at else { return };
        if at != *name {
            return;
        }
        let mut passed = PASSED.lock().expect("nobody panics while holding it");
        let times = passed.entry(name).or_default();
        *times += 1;
        if *times != passing {
            return;
        }
        drop(passed);
        if let Some(command) = &wish.instead {
            let status = Command::new("sh").args(["-c", command]).status();
            assert!(status.is_ok_and(|status| status.success()), "`OPSCTL_CRASH_DO` can be done");
        } else {
            kill_process(getpid(), Signal::KILL).expect("a process may end itself");
            loop {
                // The signal is on its way; nothing may be done any more.
                thread::park();
            }
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;
        use crate::base::Kind;

        fn wish(variables: &[(&str, &str)]) -> Result<Wish> {
            let found = |name: &str| variables.iter().find(|(known, _)| *known == name);
            Wish::of(|name| found(name).map(|(_, value)| (*value).to_owned()))
        }

        #[test]
        fn a_point_is_wished_for_by_its_name_and_passing() {
            let at = |text| wish(&[("OPSCTL_CRASH_AT", text)]).unwrap().crash_at;
            assert_eq!(at("lock.taken"), Some(("lock.taken", 1)));
            assert_eq!(at("journal.append:12"), Some(("journal.append", 12)));
            assert_eq!(wish(&[]).unwrap(), Wish::default());
        }

        #[test]
        fn a_point_that_does_not_exist_is_refused_with_those_that_do() {
            for text in ["", "lock", "lock.taken:", "lock.taken:0", "lock.taken:x", ":1"] {
                let error = wish(&[("OPSCTL_CRASH_AT", text)]).unwrap_err();
                assert_eq!(error.kind, Kind::Usage, "{text}");
                assert!(POINTS.iter().all(|point| error.detail.as_ref().unwrap().contains(point)));
            }
        }

        #[test]
        fn a_disk_is_lossy_only_where_that_is_asked_for() {
            assert_eq!(wish(&[("OPSCTL_LOSSY_DISK", "1")]).unwrap().lossy_seed, Some(0));
            assert_eq!(wish(&[("OPSCTL_LOSSY_DISK", "0")]).unwrap().lossy_seed, None);
            assert_eq!(wish(&[("OPSCTL_LOSSY_SEED", "7")]).unwrap().lossy_seed, None);
            let both = [("OPSCTL_LOSSY_DISK", "1"), ("OPSCTL_LOSSY_SEED", "7")];
            assert_eq!(wish(&both).unwrap().lossy_seed, Some(7));
            let wrong = [("OPSCTL_LOSSY_DISK", "1"), ("OPSCTL_LOSSY_SEED", "seven")];
            assert_eq!(wish(&wrong).unwrap_err().kind, Kind::Usage);
        }
    }
}
