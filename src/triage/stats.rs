//! How much memory containers use, of what they may.

use std::collections::BTreeMap;

use serde_json::Value;

use super::reading::Reading;
use crate::base::size::Size;
use crate::model::operation::{Command, Operation, Program};

/// The containers of Compose services, each with what it uses, its limit, and the file pages in it that can be dropped at any
/// time. The kernel says so at once, by the control groups of version 1 or 2; `docker stats` takes two samples, seconds apart.
const QUESTION: &str = "\
ids=$(docker ps -q --filter label=com.docker.compose.service) && [ -n \"$ids\" ] || exit 0
docker inspect -f '{{.State.Pid}} {{index .Config.Labels \"com.docker.compose.project\"}}/{{index .Config.Labels \"com.docker.compose.service\"}}' $ids |
while read -r pid of; do
    one= two= dropped=0
    while IFS=: read -r _ kind path; do
        case ,$kind, in *,memory,*) one=$path ;; ,,) two=$path ;; esac
    done </proc/$pid/cgroup
    if [ -n \"$one\" ]; then
        folder=/sys/fs/cgroup/memory$one used=usage_in_bytes limit=limit_in_bytes pages=total_inactive_file
    else
        folder=/sys/fs/cgroup$two used=current limit=max pages=inactive_file
    fi
    read -r used <\"$folder/memory.$used\" && read -r limit <\"$folder/memory.$limit\" || continue
    while read -r name value; do [ \"$name\" != \"$pages\" ] || dropped=$value; done <\"$folder/memory.stat\"
    echo \"$of $used $limit $dropped\"
done 2>/dev/null";

/// Without a limit, version 1 says a number that no machine has, and version 2 says `max`.
const NO_LIMIT: u64 = 1 << 60;

pub fn question() -> Operation {
    Operation::Command(Command::new(Program::Shell(QUESTION.to_owned())))
}

/// By project and Compose service, such as `docker/argus-1`. A container without a limit is not among them.
pub fn readings(answer: &Value) -> BTreeMap<String, Reading> {
    answer["stdout"].as_str().unwrap_or_default().lines().filter_map(line).collect()
}

fn line(text: &str) -> Option<(String, Reading)> {
    let words: Vec<&str> = text.split(' ').collect();
    let [of, used, limit, dropped] = words[..] else { return None };
    let (used, limit, dropped): (u64, u64, u64) =
        (used.parse().ok()?, limit.parse().ok()?, dropped.parse().ok()?);
    let (used, limit) = (Size(used.saturating_sub(dropped)), Size(limit));
    (limit.0 < NO_LIMIT).then(|| (of.to_owned(), Reading::ContainerMemory { used, limit }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn memory_is_told_without_the_pages_that_can_be_dropped() {
        let stdout = "docker/argus-1 199229440 201326592 10485760\n\
                      docker/free 1 9223372036854771712 0\ndocker/free-too 1 max 0\n";
        let readings = readings(&json!({ "stdout": stdout }));
        assert_eq!(readings["docker/argus-1"].to_string(), "it uses 180MiB of 192MiB memory, 93.7%");
        assert_eq!(readings.len(), 1);
    }
}
