//! What is concluded from a server that does not do what it should: whether a message was taken, was not, or nobody knows.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use opsctl::base::clock::{Timestamp, elapsed};
use opsctl::incident::event::Outcome;
use opsctl::model::channel::MessageKind;

use crate::scene::{Scene, message, why};
use crate::server::{Reply, Server};

const KEY: (&str, &str) = ("key", "0123456789abcdef0123456789abcdef");

/// PagerDuty: one request, of which the status alone counts.
fn scene(url: &str) -> Scene {
    Scene::with(&format!("{{ pagerduty: {{ key: {{ file: key }}, url: \"{url}\" }} }}"), &[KEY])
}

async fn outcome(reply: impl Fn() -> Reply + Send + 'static) -> (Outcome, usize) {
    let server = Server::always(reply);
    let outcome = scene(&server.url).send(message(1, MessageKind::Page)).await;
    (outcome, server.seen().len())
}

#[tokio::test]
async fn a_server_that_asks_for_time_is_given_it_and_nothing_is_repeated() {
    let now = Timestamp::now();
    let (outcome, requests) = outcome(|| Reply::Header(429, "Retry-After", "120".to_owned())).await;
    let Outcome::Later { retry_at, .. } = outcome else { panic!("{outcome:?}") };
    let wait = elapsed(now, retry_at);
    assert!((120..130).contains(&wait.as_secs()), "{wait:?}");
    assert_eq!(requests, 1);
}

#[tokio::test]
async fn a_date_to_try_again_is_understood() {
    let date = jiff::fmt::rfc2822::to_string(
        &(Timestamp::now() + Duration::from_secs(300)).to_zoned(jiff::tz::TimeZone::UTC),
    );
    let date = date.unwrap().replace("+0000", "GMT");
    let now = Timestamp::now();
    let (outcome, _) = outcome(move || Reply::Header(503, "Retry-After", date.clone())).await;
    let Outcome::Later { retry_at, .. } = outcome else { panic!("{outcome:?}") };
    assert!((295..305).contains(&elapsed(now, retry_at).as_secs()));
}

#[tokio::test]
async fn a_fault_of_the_server_is_for_later_and_a_fault_of_ours_is_final() {
    let (outcome_500, requests) = outcome(|| Reply::Text(500, "oh no".to_owned())).await;
    assert!(matches!(&outcome_500, Outcome::Later { why, .. } if why == "500: oh no"), "{outcome_500:?}");
    assert_eq!(requests, 1);
    let (outcome_400, requests) =
        outcome(|| Reply::Text(400, "{\"status\":\"invalid event\"}".to_owned())).await;
    assert!(
        matches!(&outcome_400, Outcome::Refused { why } if why.contains("invalid event")),
        "{outcome_400:?}"
    );
    assert_eq!(requests, 1);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Server::always(|| Reply::Text(202, "{}".to_owned()));
    let url = elsewhere.url.clone();
    for status in [301, 302, 307, 308] {
        let url = url.clone();
        let (outcome, _) = outcome(move || Reply::Header(status, "Location", url.clone())).await;
        assert!(matches!(outcome, Outcome::Refused { .. }), "{status}: {outcome:?}");
    }
    assert!(elsewhere.seen().is_empty());
}

#[tokio::test]
async fn no_connection_is_for_later_since_nothing_was_sent() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let outcome = scene(&format!("http://{free}")).send(message(1, MessageKind::Page)).await;
    assert!(
        matches!(&outcome, Outcome::Later { why, .. } if why.contains("connection refused")),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn a_hang_after_the_request_ends_at_the_deadline_and_nobody_knows() {
    let start = Instant::now();
    let (outcome, requests) = outcome(|| Reply::Hang).await;
    assert!(matches!(&outcome, Outcome::Unknown { why } if why == "no answer within 10s"), "{outcome:?}");
    assert!((9..20).contains(&start.elapsed().as_secs()));
    assert_eq!(requests, 1);
}

#[tokio::test]
async fn a_reset_after_the_request_leaves_it_unknown() {
    let (outcome, requests) = outcome(|| Reply::Reset).await;
    assert!(matches!(outcome, Outcome::Unknown { .. }), "{outcome:?}");
    assert_eq!(requests, 1);
}

#[tokio::test]
async fn a_yes_whose_answer_is_lost_is_a_yes_where_only_the_status_counts() {
    let (outcome, _) = outcome(|| Reply::Lost(202)).await;
    assert!(matches!(outcome, Outcome::Sent { .. }), "{outcome:?}");
}

#[tokio::test]
async fn a_yes_whose_answer_is_lost_is_unknown_where_the_answer_counts() {
    let server = Server::always(|| Reply::Lost(200));
    let to = format!("{{ slack: {{ token: {{ file: key }}, channel: C1, url: \"{}\" }} }}", server.url);
    let outcome = Scene::with(&to, &[KEY]).send(message(1, MessageKind::Alert)).await;
    assert!(matches!(&outcome, Outcome::Unknown { why } if why == "the answer broke off"), "{outcome:?}");
}

#[tokio::test]
async fn a_slow_trickle_does_not_outlast_the_deadline() {
    let server = Server::always(|| Reply::Trickle);
    let to = format!("{{ slack: {{ token: {{ file: key }}, channel: C1, url: \"{}\" }} }}", server.url);
    let start = Instant::now();
    let outcome = Scene::with(&to, &[KEY]).send(message(1, MessageKind::Alert)).await;
    assert!(matches!(outcome, Outcome::Unknown { .. }), "{outcome:?}");
    assert!((9..20).contains(&start.elapsed().as_secs()));
}

#[tokio::test]
async fn an_answer_without_end_is_read_to_a_bound() {
    let server = Server::always(|| Reply::Text(400, "x".repeat(50_000_000)));
    let outcome = scene(&server.url).send(message(1, MessageKind::Page)).await;
    assert!(why(&outcome).len() < 1_000, "{}", why(&outcome).len());
}

#[tokio::test]
async fn a_server_that_sends_a_secret_back_does_not_make_it_known() {
    // At whatever place of the answer it is, also where that is cut.
    for before in [0, 260, 275, 290, 296, 400] {
        let server = Server::start(move |request| {
            let key = request.json().unwrap()["routing_key"].as_str().unwrap().to_owned();
            Reply::Text(400, format!("{}{key} is no key", "x".repeat(before)))
        });
        let outcome = scene(&server.url).send(message(1, MessageKind::Page)).await;
        assert!(!why(&outcome).contains(&KEY.1[..4]), "{outcome:?}");
        assert!(before > 0 || why(&outcome) == "400: *** is no key", "{outcome:?}");
    }
    let to = "{ teams: { url: { file: url } } }";
    let server = Server::start(|request| Reply::Text(404, format!("nothing at {}", request.path)));
    let url = format!("{}/workflows/0a1b2c3d4e5f60718293?sig=AbCdEfGhIjKlMnOpQr", server.url);
    let outcome = Scene::with(to, &[("url", &url)]).send(message(1, MessageKind::Alert)).await;
    assert!(
        !why(&outcome).contains("0a1b2c3d4e5f60718293") && !why(&outcome).contains("AbCdEfGhIjKlMnOpQr"),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn a_secret_that_is_not_there_is_for_later_and_nothing_is_sent() {
    let server = Server::always(|| Reply::Text(202, "{}".to_owned()));
    let to = format!("{{ pagerduty: {{ key: {{ file: nowhere }}, url: \"{}\" }} }}", server.url);
    let outcome = Scene::new(&to).send(message(1, MessageKind::Page)).await;
    assert!(matches!(&outcome, Outcome::Later { why, .. } if why.contains("nowhere")), "{outcome:?}");
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn the_time_that_it_takes_to_unlock_a_secret_is_not_that_of_the_server() {
    let server = Server::always(|| Reply::Text(202, "{}".to_owned()));
    let slow = "sleep 11; echo 0123456789abcdef0123456789abcdef";
    let to =
        format!("{{ pagerduty: {{ key: {{ command: [sh, -c, \"{slow}\"] }}, url: \"{}\" }} }}", server.url);
    let outcome = Scene::new(&to).send(message(1, MessageKind::Page)).await;
    assert!(matches!(outcome, Outcome::Sent { .. }), "{outcome:?}");
}
