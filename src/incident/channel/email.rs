//! E-mail: plain text by SMTP, with TLS. All messages of an incident are one thread.
//!
//! `Message-ID` is the name of the delivery, so that a message that is sent again is known by it: mail programs show it once. The talk is
//! led step by step, since it matters how far it came: nothing is taken before the end of the text was sent, and after it only the server
//! knows.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lettre::message::header::{ContentType, Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, CertificateStore, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};

use super::text::{cut, said, utf16};
use super::{DEADLINE, Memory, Trouble};
use crate::base::amount::Span;
use crate::incident::envelope::Envelope;
use crate::incident::word;
use crate::model::channel::{Email, MailTls};

const LONGEST_SUBJECT: usize = 200;
const LONGEST_TEXT: usize = 200_000;

/// Half of the deadline: what is left is for the talk.
const TO_CONNECT: Duration = Duration::from_secs(5);

/// The `Message-ID` that all later ones refer to.
const THREAD: &str = "thread";

/// Keeps answers of absent people away (RFC 3834).
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<AutoSubmitted, Box<dyn std::error::Error + Send + Sync>> {
        Ok(AutoSubmitted)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(AutoSubmitted::name(), "auto-generated".to_owned())
    }
}

/// The message, and what is remembered once it was sent.
pub fn message(email: &Email, delivery: &str, envelope: &Envelope) -> Result<(Message, Memory), Trouble> {
    let from = mailbox(&email.from)?;
    let id = format!("<{delivery}@{}>", from.email.domain());
    let written = |text: &str, most| cut(text, most, utf16, |c| c.to_string());
    let mut builder = Message::builder()
        .message_id(Some(id.clone()))
        .date(SystemTime::from(envelope.at))
        .from(from)
        .header(AutoSubmitted)
        .subject(written(&word::line(&envelope.subject), LONGEST_SUBJECT));
    for reader in &email.to {
        builder = builder.to(mailbox(reader)?);
    }
    let thread = envelope.memory.get(THREAD).and_then(|id| id.as_str()).filter(|thread| *thread != id);
    if let Some(thread) = thread {
        builder = builder.in_reply_to(thread.to_owned()).references(thread.to_owned());
    }
    let memory = [(THREAD.to_owned(), thread.unwrap_or(&id).into())].into_iter().collect();
    let text = written(&word::plain(&envelope.text), LONGEST_TEXT) + "\n";
    let message = builder.header(ContentType::TEXT_PLAIN).body(text);
    let message = message.map_err(|error| Trouble::Refused(format!("it cannot be an e-mail: {error}")))?;
    Ok((message, memory))
}

fn mailbox(text: &str) -> Result<Mailbox, Trouble> {
    text.parse().map_err(|error| Trouble::Refused(format!("`{text}` is not an e-mail address: {error}")))
}

/// What it takes to be let in.
pub struct Access {
    pub user: Option<(String, String)>,
    /// The certificates to trust in place of the machine's own.
    pub ca: Option<PathBuf>,
}

/// As a login goes out (RFC 4616), so that it can be masked.
pub fn plain_login(user: &str, password: &str) -> String {
    STANDARD.encode(format!("\0{user}\0{password}"))
}

/// # Errors
/// When it was not taken for everybody, or may not have been.
pub async fn send(email: &Email, access: Access, message: &Message) -> Result<(), Trouble> {
    let is_given = AtomicBool::new(false);
    match tokio::time::timeout(DEADLINE, talk(email, access, message, &is_given)).await {
        Ok(outcome) => outcome,
        Err(_) => {
            let why = format!("no answer within {}", Span::rounded(DEADLINE));
            Err(if is_given.load(Ordering::Relaxed) { Trouble::Unknown(why) } else { Trouble::later(why) })
        }
    }
}

async fn talk(
    email: &Email,
    access: Access,
    message: &Message,
    is_given: &AtomicBool,
) -> Result<(), Trouble> {
    let mut server = connect(email, access.ca).await?;
    if let Some((user, password)) = access.user {
        let credentials = Credentials::new(user, password);
        server.auth(&[Mechanism::Plain, Mechanism::Login], &credentials).await.map_err(|e| before(&e))?;
    }
    let (envelope, text) = (message.envelope(), message.formatted());
    let mut parameters = Vec::new();
    let all = envelope.from().into_iter().chain(envelope.to());
    if all.into_iter().any(|address| !address.to_string().is_ascii()) {
        if !server.server_info().supports_feature(Extension::SmtpUtfEight) {
            return Err(Trouble::Refused("the server takes no address with such letters".to_owned()));
        }
        parameters.push(MailParameter::SmtpUtfEight);
    }
    if !text.is_ascii() && server.server_info().supports_feature(Extension::EightBitMime) {
        parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
    }
    server.command(Mail::new(envelope.from().cloned(), parameters)).await.map_err(|e| before(&e))?;
    let mut refused = Vec::new();
    for reader in envelope.to() {
        match server.command(Rcpt::new(reader.clone(), Vec::new())).await {
            Err(error) if error.is_permanent() => refused.push(format!("{reader}: {}", words(&error))),
            other => drop(other.map_err(|e| before(&e))?),
        }
    }
    if refused.len() == envelope.to().len() {
        return Err(Trouble::Refused(refused.join("; ")));
    }
    server.command(Data).await.map_err(|e| before(&e))?;
    is_given.store(true, Ordering::Relaxed);
    server.message(&text).await.map_err(|error| match error.status() {
        Some(_) => before(&error),
        None => Trouble::Unknown(format!("the connection was lost after the message: {}", words(&error))),
    })?;
    // It is taken: how the connection ends does not matter.
    drop(tokio::time::timeout(Duration::from_secs(1), server.quit()).await);
    match refused.is_empty() {
        true => Ok(()),
        false => Err(Trouble::Refused(format!("it was sent, but not to {}", refused.join("; ")))),
    }
}

async fn connect(email: &Email, ca: Option<PathBuf>) -> Result<AsyncSmtpConnection, Trouble> {
    let (host, port) =
        email.place().ok_or_else(|| Trouble::Refused(format!("`{}` is not `host:port`", email.server)))?;
    let hello = ClientId::default();
    let tls = match email.tls {
        MailTls::None => None,
        MailTls::Tls | MailTls::StartTls => Some(tls(host, ca).await?),
    };
    let (at_once, then) = match email.tls {
        MailTls::StartTls => (None, tls),
        MailTls::Tls | MailTls::None => (tls, None),
    };
    let connecting =
        AsyncSmtpConnection::connect_tokio1((host, port), Some(TO_CONNECT), &hello, at_once, None);
    let mut server = connecting.await.map_err(|e| before(&e))?;
    if let Some(tls) = then {
        server.starttls(tls, &hello).await.map_err(|e| before(&e))?;
    }
    Ok(server)
}

async fn tls(host: &str, ca: Option<PathBuf>) -> Result<TlsParameters, Trouble> {
    let mut builder = TlsParameters::builder(host.to_owned());
    if let Some(path) = ca {
        let unread = |why: String| {
            Trouble::later(format!("the certificates in `{}` cannot be read: {why}", path.display()))
        };
        let pem = tokio::fs::read(&path).await.map_err(|error| unread(error.to_string()))?;
        let certificates = Certificate::from_pem(&pem).map_err(|error| unread(words(&error)))?;
        builder = builder.certificate_store(CertificateStore::None).add_root_certificate(certificates);
    }
    builder.build().map_err(|error| Trouble::later(words(&error)))
}

/// What an error means as long as the server has no whole message.
fn before(error: &Error) -> Trouble {
    match error.is_permanent() || error.is_client() {
        true => Trouble::Refused(words(error)),
        false => Trouble::later(words(error)),
    }
}

/// The server's own words with its number, or what happened to the connection.
fn words(error: &Error) -> String {
    let mut innermost: &(dyn std::error::Error + 'static) = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    let said = said(&innermost.to_string());
    error.status().map_or(said.clone(), |code| format!("{code}: {said}"))
}

#[cfg(test)]
mod tests {
    use super::super::sample::{envelope, wild};
    use super::*;
    use crate::model::channel::MessageKind;

    fn email() -> Email {
        Email {
            server: "localhost:587".to_owned(),
            tls: MailTls::StartTls,
            ca: None,
            user: None,
            password: None,
            from: "opsctl <ops@opareta.test>".to_owned(),
            to: vec!["a@opareta.test".to_owned(), "Bea <b@opareta.test>".to_owned()],
        }
    }

    fn written(envelope: &Envelope) -> (String, Memory) {
        let (message, memory) = message(&email(), "id-1", envelope).unwrap();
        (String::from_utf8(message.formatted()).unwrap(), memory)
    }

    #[test]
    fn the_first_message_begins_the_thread_and_the_others_refer_to_it() {
        let (first, memory) = written(&envelope(MessageKind::Alert));
        assert!(first.contains("Message-ID: <id-1@opareta.test>\r\n"), "{first}");
        assert!(
            first.contains("Auto-Submitted: auto-generated\r\n") && !first.contains("In-Reply-To"),
            "{first}"
        );
        let memory: Memory = memory.into_iter().map(|(key, _)| (key, "<id-0@opareta.test>".into())).collect();
        let (second, remembered) =
            written(&Envelope { memory: memory.clone(), ..envelope(MessageKind::Update) });
        assert!(second.contains("In-Reply-To: <id-0@opareta.test>\r\n"), "{second}");
        assert!(second.contains("References: <id-0@opareta.test>\r\n"), "{second}");
        assert_eq!(remembered, memory);
    }

    #[test]
    fn no_title_can_add_a_header() {
        let message =
            Envelope { subject: "a\r\nBcc: x@y.z\n\nbody".to_owned(), ..envelope(MessageKind::Alert) };
        assert!(written(&message).0.contains("Subject: a Bcc: x@y.z body\r\n"));
    }

    #[test]
    fn a_title_of_any_kind_is_in_lines_that_every_server_takes() {
        let message = Envelope { subject: wild(), text: wild(), ..envelope(MessageKind::Alert) };
        let (text, _) = written(&message);
        assert!(text.is_ascii() && text.lines().all(|line| line.len() <= 998));
    }
}
