//! Backups as a host has them: the files, and what their manifests say.
//!
//! A manifest is a JSON object in a file of its own beside the backup, `FILE.json`, with one key a line, so that a shell can write one
//! key anew. Backups that somebody else has made have none, and are backups all the same.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::backups::Kind;
use crate::base::amount::Span;
use crate::base::clock::{Timestamp, elapsed};

/// What is known of a backup.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    pub kind: Kind,
    /// The database or cache, by its name in the inventory.
    pub of: String,
    /// The moment that it shows.
    pub at: Timestamp,
    /// How long it took, in seconds.
    #[serde(default)]
    pub seconds: u64,
    /// The run that made it; empty where opsctl found it.
    #[serde(default)]
    pub run: String,
    #[serde(default)]
    pub by: String,
    /// Why it was made; empty for a backup like any other.
    #[serde(default)]
    pub reason: String,
    /// The version of the server.
    #[serde(default)]
    pub server: String,
    pub bytes: u64,
    pub sha256: String,
    /// When it was last restored for a trial, and all was well.
    #[serde(default)]
    pub verified: Option<Verified>,
    /// How large the database was, in bytes.
    #[serde(default)]
    pub database_bytes: Option<u64>,
    /// The rows of each table, by schema and name as SQL writes them.
    #[serde(default)]
    pub tables: BTreeMap<String, u64>,
    /// The keys of each database of a cache, by its number.
    #[serde(default)]
    pub keys: BTreeMap<String, u64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verified {
    pub at: Timestamp,
    #[serde(default)]
    pub run: String,
    /// How long the trial restore took, in seconds.
    #[serde(default)]
    pub seconds: u64,
}

/// A backup on a host.
#[derive(Debug, Clone, PartialEq)]
pub struct Backup {
    /// The whole path.
    pub file: String,
    /// None where it cannot be read.
    pub bytes: Option<u64>,
    /// The moment that it shows: as its manifest says, else when the file was last written.
    pub at: Timestamp,
    /// When the file was last written.
    pub written: Timestamp,
    pub manifest: Option<Manifest>,
}

impl Backup {
    pub fn verified(&self) -> Option<&Verified> {
        self.manifest.as_ref()?.verified.as_ref()
    }

    pub fn name(&self) -> &str {
        self.file.rsplit('/').next().unwrap_or(&self.file)
    }
}

/// All backups of a database or a cache, the newest first.
#[derive(Debug, Clone, PartialEq)]
pub struct Listing {
    /// What time it was on the host.
    pub now: Timestamp,
    pub directory: String,
    /// Whether the folder is not there, or cannot be read.
    pub is_missing: bool,
    pub backups: Vec<Backup>,
}

/// Lists a folder. Given: directory, pattern, kind, of (the name in the inventory). Prints lines of fields with tabs between: `T`, the time in
/// seconds; `N` where there is no such folder; `F` bytes, time, name; and `M` with the manifest of the file before it.
pub const LIST: &str = r#"printf 'T\t%s\n' "$(date -u +%s)"
cd "$directory" 2>/dev/null && [ -r . ] || { echo N; exit 0; }
newline='
'
for file in *; do
    [ -f "$file" ] || continue
    case $file in
    *.json | *.part | *"$newline"* | *"	"*) continue ;;
    esac
    if [ -r "$file.json" ]; then
        grep -qxF "  \"of\": \"$of\"," "$file.json" && grep -qxF "  \"kind\": \"$kind\"," "$file.json" || continue
    else
        case $file in $pattern) ;; *) continue ;; esac
    fi
    bytes=$(wc -c <"$file" 2>/dev/null) || bytes=
    printf 'F\t%s\t%s\t%s\n' "$bytes" "$(date -u -r "$file" +%s)" "$file"
    [ ! -r "$file.json" ] || { printf 'M\t'; tr -d '\n\t' <"$file.json"; echo; }
done"#;

impl Listing {
    /// What [`LIST`] prints.
    pub fn read(directory: &str, text: &str) -> Listing {
        let directory = directory.trim_end_matches('/');
        let seconds = |text: &str| text.trim().parse().ok().and_then(|at| Timestamp::from_second(at).ok());
        let mut listing = Listing {
            now: Timestamp::UNIX_EPOCH,
            directory: directory.to_owned(),
            is_missing: false,
            backups: Vec::new(),
        };
        for line in text.lines() {
            let fields: Vec<&str> = line.splitn(4, '\t').collect();
            match fields[..] {
                ["T", at] => listing.now = seconds(at).unwrap_or_default(),
                ["N"] => listing.is_missing = true,
                ["F", bytes, at, name] => listing.backups.push(Backup {
                    file: format!("{directory}/{name}"),
                    bytes: bytes.trim().parse().ok(),
                    at: seconds(at).unwrap_or_default(),
                    written: seconds(at).unwrap_or_default(),
                    manifest: None,
                }),
                ["M", ..] => {
                    let manifest = line.get(2..).and_then(|text| serde_json::from_str::<Manifest>(text).ok());
                    if let (Some(backup), Some(manifest)) = (listing.backups.last_mut(), manifest) {
                        backup.at = manifest.at;
                        backup.manifest = Some(manifest);
                    }
                }
                _ => {}
            }
        }
        listing.backups.sort_by(|one, other| other.at.cmp(&one.at).then_with(|| other.file.cmp(&one.file)));
        listing
    }

    /// How much would be lost if a backup were restored now.
    pub fn loss(&self, backup: &Backup) -> Span {
        Span::secs(elapsed(backup.at, self.now).as_secs())
    }
}
