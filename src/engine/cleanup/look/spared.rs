//! What no rule for files takes anything of, however old it is: backups, projects, what containers are given of the host, and what
//! opsctl and Docker keep.

use std::collections::BTreeSet;
use std::time::Duration;

use super::asked::asked;
use super::piles::Place;
use super::question::ask;
use crate::host::Host;
use crate::host::docker::stock::Bind;
use crate::host::failure::Failure;

const SCRIPT: &str = include_str!("spared.sh");

const PATIENCE: Duration = Duration::from_secs(60);

/// Those paths, and where they really lead.
pub(super) async fn real(
    machine: &Host,
    paths: BTreeSet<String>,
    unseen: &mut Vec<String>,
) -> Result<Vec<String>, Failure> {
    let mut paths: Vec<String> =
        paths.into_iter().filter(|path| path.starts_with('/') && !path.contains('\n')).collect();
    let answer = ask(machine, &[], SCRIPT, Some(&paths), PATIENCE).await;
    if let Some(answer) = asked(machine, "where folders that are spared lead", answer, unseen)? {
        paths.extend(answer.stdout.lines().filter(|path| path.starts_with('/')).map(str::to_owned));
    }
    paths.sort();
    paths.dedup();
    Ok(paths)
}

/// The folders and files of the host that containers work with. One that is given a whole folder of a rule only to read looks at what
/// is there, as what gathers logs does, and one that is given a folder above it has nothing to do with it in particular.
pub(super) fn given<'a>(binds: &'a [Bind], places: &'a [Place]) -> impl Iterator<Item = String> + 'a {
    let looks_on = |bind: &&Bind| {
        places.iter().any(|place| {
            let is_whole = place.directory == bind.source && !bind.is_writable;
            is_whole || is_below(&place.directory, &bind.source)
        })
    };
    binds.iter().filter(move |bind| !looks_on(bind)).map(|bind| bind.source.clone())
}

fn is_below(path: &str, folder: &str) -> bool {
    let rest = path.strip_prefix(folder.trim_end_matches('/'));
    rest.is_some_and(|rest| rest.starts_with('/') && rest.len() > 1)
}

#[cfg(test)]
mod tests {
    use super::super::piles::places;
    use super::*;
    use crate::model::clutter::terms::Cleanup;

    #[test]
    fn a_container_that_only_looks_at_a_folder_spares_nothing_of_it() {
        let bind = |source: &str, is_writable| Bind { source: source.to_owned(), is_writable };
        let binds = [
            bind("/", true),
            bind("/var", true),
            bind("/var/log", false),
            bind("/tmp", true),
            bind("/tmp/conf", false),
            bind("/tmpfiles", false),
        ];
        let places = places(&Cleanup::default());
        let given: Vec<String> = given(&binds, &places).collect();
        assert_eq!(given, ["/tmp", "/tmp/conf", "/tmpfiles"]);
    }
}
