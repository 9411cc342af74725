//! What a step does to the world, with every value filled in.
//!
//! Building an operation is apart from performing it: actions turn their arguments into operations, golden tests compare
//! those as data, `plan` shows them, the plan's digest covers them, and only the engine, through a host, performs them.
//! Reads of Docker go by its API and are shown as the command a person would type instead.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use rustls::pki_types::ServerName;
use serde::{Deserialize, Serialize};

use super::result::ResultKind;
use crate::base::amount::Span;
use crate::base::secret::Secret;
use crate::base::size::Size;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Operation {
    /// A command on the host. The only operation that may change it.
    Command(Command),
    /// A command in a running container that only reads, asked through Docker's API.
    Exec(ContainerCommand),
    /// A question to Docker's API.
    Docker(DockerQuery),
    Http(HttpRequest),
    /// Opens a TCP connection and closes it.
    Connect {
        address: String,
        port: u16,
        deadline: Span,
    },
    /// Looks at how full the disks of a host are, or the one that the path `at` is on; `below` so many percent, where that is wanted.
    Disks {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        below: Option<f64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at: Option<String>,
    },
    /// Looks at the certificate that is served.
    Handshake(Handshake),
    Sleep(Span),
    /// A condition over the inventory, the parameters and earlier outputs, already worked out.
    Assert {
        holds: bool,
        message: String,
    },
    /// A question to a person.
    Approve {
        question: String,
    },
}

/// A command on a host, as an argument vector or as a line for `sh -c`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    pub program: Program,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub directory: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stdin: Option<String>,
    /// Exit codes that mean success. Empty: only 0.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub success_codes: Vec<i32>,
    /// How much is kept of each of its streams, where that is not what is kept of any command's: for one whose every line is
    /// wanted later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep: Option<Size>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Program {
    Argv(Vec<String>),
    Shell(String),
    Script(Box<Script>),
}

/// A program of opsctl's own for `sh -c`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Script {
    /// What it is called where nobody wants to read it.
    pub name: String,
    /// The variables that it begins with.
    pub given: Vec<(String, String)>,
    pub body: String,
}

impl Script {
    /// The whole of it.
    pub fn text(&self) -> String {
        let given = self.given.iter().map(|(name, value)| format!("\n{name}={}", quoted(value)));
        format!("set -eu{}\n{}", given.collect::<String>(), self.body)
    }

    /// What it is called, and what it is given, in one line.
    pub fn summary(&self) -> String {
        let given = self.given.iter().map(|(name, value)| format!(" {name}={}", quoted(value)));
        format!("{}{}", self.name, given.collect::<String>())
    }
}

impl Program {
    /// The line for `sh -c`; none where no shell takes part.
    pub fn line(&self) -> Option<Cow<'_, str>> {
        match self {
            Program::Argv(_) => None,
            Program::Shell(line) => Some(Cow::Borrowed(line)),
            Program::Script(script) => Some(Cow::Owned(script.text())),
        }
    }
}

/// Which containers of a Compose project: those of one service, or all. Found by Compose's labels, never by guessing a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Selection {
    /// The project's name as Compose knows it.
    pub project: String,
    /// The start of the equivalent command line, such as `docker compose -f docker-compose.prod.yml`; for showing.
    pub compose: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContainerCommand {
    pub container: Selection,
    pub argv: Vec<String>,
    pub deadline: Span,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DockerQuery {
    /// State, health, restart count, exit code, image and times of the containers, running or not.
    Containers(Selection),
    /// The last lines of the containers' logs.
    Logs { of: Selection, tail: u32, since: Option<Span> },
    /// CPU and memory in use.
    Stats(Selection),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HttpRequest {
    pub method: String,
    pub url: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// Headers with a secret in them, which is read when the request is sent.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub secret_headers: BTreeMap<String, SecretHeader>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    pub deadline: Span,
    /// From where the URL is asked: the host that the step is on, or the machine opsctl runs on.
    #[serde(default)]
    pub via: Via,
}

/// A header that is a secret, after what stands before it, such as `Bearer `.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretHeader {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub before: String,
    pub secret: Secret,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handshake {
    pub address: String,
    pub port: u16,
    /// The name that is asked for.
    pub name: String,
    pub deadline: Span,
    #[serde(default)]
    pub via: Via,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Via {
    /// From the host that the thing belongs to, through opsctl's connection to it.
    #[default]
    Host,
    /// From the machine that opsctl runs on.
    Here,
}

/// What an operation gave: `value` is what conditions and extractions look at. Its fields are those of the operation's
/// [`ResultKind`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    pub value: serde_json::Value,
}

impl HttpRequest {
    pub fn get(url: String, deadline: Span, via: Via) -> HttpRequest {
        let (headers, secret_headers) = (BTreeMap::new(), BTreeMap::new());
        HttpRequest { method: "GET".to_owned(), url, headers, secret_headers, body: None, deadline, via }
    }
}

impl Operation {
    pub fn result(&self) -> ResultKind {
        match self {
            Operation::Command(_) | Operation::Exec(_) => ResultKind::Command,
            Operation::Docker(DockerQuery::Containers(_)) => ResultKind::Containers,
            Operation::Docker(DockerQuery::Logs { .. }) => ResultKind::Logs,
            Operation::Docker(DockerQuery::Stats(_)) => ResultKind::Stats,
            Operation::Http(_) => ResultKind::Http,
            Operation::Connect { .. } => ResultKind::Connection,
            Operation::Disks { .. } => ResultKind::Disks,
            Operation::Handshake(_) => ResultKind::Certificate,
            Operation::Assert { .. } => ResultKind::Assertion,
            Operation::Sleep(_) | Operation::Approve { .. } => ResultKind::Nothing,
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Operation::Command(command) => command.fmt(f),
            Operation::Exec(exec) => {
                write!(f, "{} exec -T", words(&exec.container.compose))?;
                if let Some(service) = &exec.container.service {
                    write!(f, " {}", quoted(service))?;
                }
                write!(f, " {}", words(&exec.argv))
            }
            Operation::Docker(query) => query.fmt(f),
            Operation::Http(request) => {
                write!(f, "{} {}", request.method, request.url)?;
                if let Some(body) = &request.body {
                    write!(f, " {body}")?;
                }
                if request.via == Via::Here { f.write_str(" (from here)") } else { Ok(()) }
            }
            Operation::Connect { address, port, .. } => write!(f, "connect to {address}:{port}"),
            Operation::Disks { below, at } => {
                let at = at.as_ref().map_or_else(String::new, |at| format!(" -- {}", quoted(at)));
                write!(f, "df -P -k{at}; df -P -i{at}")?;
                below.iter().try_for_each(|below| write!(f, ": less than {below}%"))
            }
            Operation::Handshake(handshake) => handshake.fmt(f),
            Operation::Sleep(span) if span.0.is_zero() => f.write_str("wait"),
            Operation::Sleep(span) => write!(f, "sleep {span}"),
            Operation::Assert { message, .. } => write!(f, "check that {message}"),
            Operation::Approve { question } => write!(f, "ask: {question}"),
        }
    }
}

/// A name that a server can have, as certificates are for them: of a host, or an IP address.
///
/// # Errors
/// In words.
pub fn server_name(name: &str) -> Result<ServerName<'static>, String> {
    ServerName::try_from(name.to_owned())
        .map_err(|_| format!("`{name}` is not a name that a server can have"))
}

impl fmt::Display for Handshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Handshake { address, port, name, via, .. } = self;
        write!(f, "look at the certificate of {address}:{port}")?;
        if name != address {
            write!(f, " for {name}")?;
        }
        if *via == Via::Here { f.write_str(" (from here)") } else { Ok(()) }
    }
}

impl fmt::Display for DockerQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (verb, of) = match self {
            DockerQuery::Containers(of) => ("ps -a".to_owned(), of),
            DockerQuery::Logs { of, tail, since: None } => (format!("logs --tail {tail}"), of),
            DockerQuery::Logs { of, tail, since: Some(since) } => {
                (format!("logs --tail {tail} --since {since}"), of)
            }
            DockerQuery::Stats(of) => ("stats --no-stream".to_owned(), of),
        };
        write!(f, "{} {verb}", words(&of.compose))?;
        of.service.iter().try_for_each(|service| write!(f, " {}", quoted(service)))
    }
}

/// A line to paste: it does what opsctl does.
impl Command {
    /// With nothing but its program: in the folder it is started in, and only the exit code 0 is a success.
    pub fn new(program: Program) -> Command {
        let (env, success_codes) = (BTreeMap::new(), Vec::new());
        Command { program, directory: None, env, stdin: None, success_codes, keep: None }
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(directory) = &self.directory {
            write!(f, "cd {} && ", quoted(directory))?;
        }
        if let Some(stdin) = &self.stdin {
            write!(f, "printf %s {} | ", quoted(stdin))?;
        }
        for (name, value) in &self.env {
            write!(f, "{name}={} ", quoted(value))?;
        }
        let is_bare = self.directory.is_none() && self.stdin.is_none() && self.env.is_empty();
        match (&self.program, self.program.line()) {
            (Program::Argv(argv), _) => f.write_str(&words(argv)),
            (_, Some(line)) if is_bare => f.write_str(&line),
            // What stands before it must not reach into the line, nor only to its first command.
            (_, line) => write!(f, "sh -c {}", quoted(&line.unwrap_or_default())),
        }
    }
}

/// An argument vector as a line that a POSIX shell reads back as the same words.
pub fn words<S: AsRef<str>>(argv: &[S]) -> String {
    argv.iter().map(|word| quoted(word.as_ref())).collect::<Vec<_>>().join(" ")
}

/// One word, quoted for a POSIX shell; left as it is when that is safe.
pub fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_as_a_line_that_does_the_same() {
        let command = Command {
            directory: Some("/".to_owned()),
            env: BTreeMap::from([("A".to_owned(), "it's".to_owned())]),
            stdin: Some("in\n".to_owned()),
            ..Command::new(Program::Shell("false && true || cat && echo $A; pwd".to_owned()))
        };
        let output = std::process::Command::new("sh").args(["-c", &command.to_string()]).output().unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), "in\nit's\n/\n");
    }

    #[test]
    fn a_quoted_word_comes_back_from_a_shell_unchanged() {
        for word in ["", "plain", "two words", "it's", "$HOME `id` \"x\"", "a;b|c&d", "*?[", "~", "new\nline"]
        {
            let line = format!("printf %s {}", quoted(word));
            let output = std::process::Command::new("sh").args(["-c", &line]).output().unwrap();
            assert_eq!(String::from_utf8(output.stdout).unwrap(), word);
        }
    }
}
