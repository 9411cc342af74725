//! Looks at the certificate that something serves. Whether an authority vouches for it is not asked: a site may have its own.

use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_name;
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use x509_cert::Certificate;
use x509_cert::der::Decode as _;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::time::Time;

use super::Host;
use super::dial::{Dial, connect, no_answer, plain};
use super::failure::Failure;
use crate::model::operation::{Handshake, server_name};

const SECONDS_A_DAY: f64 = 86_400.0;

impl Host {
    /// The certificate that is served to who connects from the host.
    pub(super) async fn certificate(&self, handshake: &Handshake) -> Result<Value, Failure> {
        let start = Instant::now();
        let Handshake { address, port, deadline, .. } = handshake;
        let pipe = match self.dial(address, *port, deadline.0).await? {
            Dial::Open(pipe) => pipe,
            Dial::Refused(why) => return Ok(answer(Err(why), start)),
        };
        let stream = tokio::io::join(pipe.reader, pipe.writer);
        let seen = tokio::select! {
            seen = in_time(handshake, start, look(handshake, stream)) => seen,
            failure = self.lost() => return Err(failure.dispatched()),
        };
        if seen.is_err() {
            // A connection that was lost looks like a server that hung up.
            self.check().await.map_err(Failure::dispatched)?;
        }
        Ok(answer(seen, start))
    }
}

/// As [`Host::certificate`], from this machine.
pub(super) async fn certificate(handshake: &Handshake) -> Value {
    let start = Instant::now();
    let looking = async {
        let stream = connect(&handshake.address, handshake.port).await.map_err(|error| plain(&error))?;
        look(handshake, stream).await
    };
    answer(in_time(handshake, start, looking).await, start)
}

async fn in_time(
    handshake: &Handshake,
    start: Instant,
    looking: impl Future<Output = Result<Value, String>>,
) -> Result<Value, String> {
    let left = handshake.deadline.0.saturating_sub(start.elapsed());
    tokio::time::timeout(left, looking).await.unwrap_or_else(|_| Err(no_answer(handshake.deadline.0)))
}

async fn look(handshake: &Handshake, stream: impl AsyncRead + AsyncWrite + Unpin) -> Result<Value, String> {
    let name = server_name(&handshake.name)?;
    let provider = Arc::new(ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Onlooker(provider)))
        .with_no_client_auth();
    let connector = TlsConnector::from(Arc::new(config));
    let stream = connector.connect(name.clone(), stream).await.map_err(|error| plain(&error))?;
    let certificates = stream.get_ref().1.peer_certificates();
    let certificate = certificates.and_then(<[_]>::first).ok_or("the server shows no certificate")?;
    describe(certificate, &name)
}

fn describe(bytes: &CertificateDer<'_>, name: &ServerName<'_>) -> Result<Value, String> {
    let unreadable = |error: &dyn std::fmt::Display| format!("the certificate cannot be read: {error}");
    let certificate = Certificate::from_der(bytes).map_err(|error| unreadable(&error))?;
    let parsed = ParsedCertificate::try_from(bytes).map_err(|error| unreadable(&error))?;
    let body = certificate.tbs_certificate();
    let names = match body.get_extension::<SubjectAltName>() {
        Ok(Some((_, names))) => names.0.iter().filter_map(shown).collect(),
        _ => Vec::new(),
    };
    let [from, to] = [body.validity().not_before, body.validity().not_after].map(moment);
    let [to_start, left] = [from, to].map(days_until);
    Ok(json!({
        "names": names,
        "covers": verify_server_name(&parsed, name).is_ok(),
        "issuer": body.issuer().to_string(),
        "serial": body.serial_number().to_string(),
        "not_before": from,
        "not_after": to,
        "days_to_start": to_start,
        "days_left": left,
    }))
}

fn days_until(time: Timestamp) -> f64 {
    let days = time.duration_since(Timestamp::now()).as_secs_f64() / SECONDS_A_DAY;
    (days * 100.0).floor() / 100.0
}

fn shown(name: &GeneralName) -> Option<String> {
    match name {
        GeneralName::DnsName(name) => Some(name.to_string()),
        GeneralName::IpAddress(bytes) => match bytes.as_bytes() {
            [a, b, c, d] => Some(std::net::Ipv4Addr::new(*a, *b, *c, *d).to_string()),
            bytes => {
                <[u8; 16]>::try_from(bytes).ok().map(|bytes| std::net::Ipv6Addr::from(bytes).to_string())
            }
        },
        _ => None,
    }
}

fn moment(time: Time) -> Timestamp {
    let seconds = i64::try_from(time.to_unix_duration().as_secs()).unwrap_or(i64::MAX);
    Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX)
}

fn answer(seen: Result<Value, String>, start: Instant) -> Value {
    let (mut fields, error) = match seen {
        Ok(fields) => (fields, None),
        Err(why) => {
            let nothing = json!({
                "names": [], "covers": false, "issuer": null, "serial": null,
                "not_before": null, "not_after": null, "days_to_start": null, "days_left": null,
            });
            (nothing, Some(why))
        }
    };
    fields["served"] = json!(error.is_none());
    fields["ms"] = json!(start.elapsed().as_millis() as u64);
    fields["error"] = json!(error);
    fields
}

/// Lets every certificate pass, so that it can be looked at. That the server has its key is proved as always.
#[derive(Debug)]
struct Onlooker(Arc<CryptoProvider>);

impl ServerCertVerifier for Onlooker {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
