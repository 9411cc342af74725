//! What operations give: the fields that conditions and extractions look at.
//!
//! One table for the hosts that make results, the actions that promise them, and the reference that authors read; tests hold
//! each of them to it.

/// The shape of an operation's result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ResultKind {
    /// There is nothing to look at.
    Nothing,
    /// Of a command on a host or in a container.
    Command,
    Containers,
    Logs,
    Stats,
    Http,
    Connection,
    Disks,
    /// Of a certificate that is served.
    Certificate,
    Assertion,
}

/// One field of a result, or of what is listed in one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    pub name: &'static str,
    pub about: &'static str,
    /// Of a list: the fields of each item.
    pub each: &'static [Field],
}

const fn field(name: &'static str, about: &'static str) -> Field {
    Field { name, about, each: &[] }
}

impl ResultKind {
    pub fn fields(self) -> &'static [Field] {
        match self {
            ResultKind::Nothing => &[],
            ResultKind::Command => COMMAND,
            ResultKind::Containers => CONTAINERS,
            ResultKind::Logs => LOGS,
            ResultKind::Stats => STATS,
            ResultKind::Http => HTTP,
            ResultKind::Connection => CONNECTION,
            ResultKind::Disks => DISKS,
            ResultKind::Certificate => CERTIFICATE,
            ResultKind::Assertion => ASSERTION,
        }
    }
}

const COMMAND: &[Field] = &[
    field("status", "the exit code; null where the container does not run"),
    field("stdout", "what it wrote to standard output"),
    field("stderr", "what it wrote to standard error"),
];

const CONTAINERS: &[Field] =
    &[Field { name: "containers", about: "the containers, running or not", each: EACH_CONTAINER }];

const EACH_CONTAINER: &[Field] = &[
    field("name", "the container's name"),
    field("service", "its Compose service"),
    field("id", "the container's id"),
    field("image", "the image, as the Compose files call it"),
    field("image_id", "the id of the image"),
    field("state", "such as `running`, `restarting`, `paused`, `exited`"),
    field("health", "`healthy`, `unhealthy`, `starting`, or `none` without a health check"),
    field("restarts", "how often Docker's restart policy has restarted it"),
    field("exit_code", "of its last end"),
    field("oom_killed", "whether it was killed for want of memory"),
    field("started_at", "when it was last started, or null"),
    field("finished_at", "when it last ended, or null"),
    field(
        "network",
        "the network that it was made for, or a word such as `host`; null where Docker does not say",
    ),
    field("networks", "the networks that it is attached to"),
];

const LOGS: &[Field] = &[field("stdout", "the lines, oldest first"), field("lines", "how many there are")];

const STATS: &[Field] =
    &[Field { name: "containers", about: "the containers that run", each: EACH_CONTAINERS_LOAD }];

const EACH_CONTAINERS_LOAD: &[Field] = &[
    field("name", "the container's name"),
    field("service", "its Compose service"),
    field("cpu_percent", "of one CPU: 200 is two CPUs in full"),
    field("memory_bytes", "in use, without what can be dropped at any time"),
    field("memory_limit_bytes", "how much it may use"),
    field("memory_percent", "of the limit"),
];

const HTTP: &[Field] = &[
    field("status", "the status code; 0 when there was no answer"),
    field("body", "the answer's text"),
    field("json", "the answer as JSON; null when it is none"),
    field("headers", "the answer's headers, by name in lower case"),
    field("ms", "how long it took, in milliseconds"),
    field("error", "why there was no answer, or null"),
];

const CONNECTION: &[Field] = &[
    field("connected", "whether the port accepts connections"),
    field("ms", "how long it took, in milliseconds"),
    field("error", "why not, or null"),
];

const DISKS: &[Field] = &[
    Field { name: "disks", about: "the disks, each once", each: EACH_DISK },
    field("fullest_percent", "of the fullest of them, by bytes or by inodes; null when it is not known"),
    field("error", "why it is not known, or null"),
];

const EACH_DISK: &[Field] = &[
    field("mount", "where it is mounted"),
    field("used_percent", "of its bytes, without those that are kept for root"),
    field("free_bytes", "how many are left"),
    field("inodes_percent", "of its inodes, in use; null where there is no end of them"),
    field("inodes_free", "how many are left; null where there is no end of them"),
];

const CERTIFICATE: &[Field] = &[
    field("served", "whether there is one"),
    field("names", "the names and addresses that it is for"),
    field("covers", "whether the name that was asked for is among them"),
    field("issuer", "who made it"),
    field("serial", "its serial number"),
    field("not_before", "from when on it is valid"),
    field("not_after", "until when"),
    field(
        "days_to_start",
        "how many days it is from now until it is valid, with a fraction; less than 0 when it has begun",
    ),
    field("days_left", "how many days that is from now, with a fraction; less than 0 when it has expired"),
    field("ms", "how long it took, in milliseconds"),
    field("error", "why there is none, or null"),
];

const ASSERTION: &[Field] = &[field("holds", "whether the condition holds")];

/// Holds a result to the table: for the tests of who makes one.
#[cfg(test)]
#[track_caller]
pub fn assert_fields(fields: &[Field], value: &serde_json::Value) {
    let promised: std::collections::BTreeSet<_> = fields.iter().map(|field| field.name).collect();
    let given = value.as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
    assert_eq!(promised, given);
}
