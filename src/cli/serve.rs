//! `opsctl serve`.

mod automatic;
mod http;
mod metrics;
mod work;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;

use self::automatic::Automat;
use self::http::{Counts, Door};
use self::work::Work;
use super::Global;
use super::incident::office::Room;
use super::open::Workplace;
use crate::base::clock::Timestamp;
use crate::base::{Error, Kind, Result};
use crate::incident::inbox::Inbox;
use crate::ui;

/// Take alerts of Alertmanager, open incidents for them, and look after them until Ctrl-C
///
/// Alertmanager sends its webhook to /alerts. A group of alerts is one incident: it is opened, those who are to know are told and paged, triage is
/// asked and its findings are attached, and once nothing fires any more it is watched. A runbook is run without asking only where the inventory
/// allows it for that alert. /healthz says whether all is well, and /metrics has figures for Prometheus.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Serve {
    /// Where to listen; beyond this machine only with a token in the inventory
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9096")]
    listen: SocketAddr,
}

const EXAMPLES: &str = "\
Examples:
  opsctl serve                               on 127.0.0.1:9096
  opsctl serve --listen 0.0.0.0:9096         with `incidents: { receiver: { token: ... } }` in the inventory

In alertmanager.yml:
  receivers:
    - name: opsctl
      webhook_configs:
        - url: http://HOST:9096/alerts
          http_config: { authorization: { credentials_file: /etc/alertmanager/opsctl-token } }";

/// How often incidents are looked after while nobody rings.
const EVERY: Duration = Duration::from_secs(5);

impl Serve {
    pub async fn run(&self, global: &Global) -> Result<ExitCode> {
        let workplace = Workplace::open(global)?;
        automatic::check(&workplace)?;
        let room = Room::open(global)?;
        let door = Arc::new(self.door(&room).await?);
        let address = http::open(door.clone(), self.listen)?;
        announce(address, global)?;
        let hosts = workplace.hosts();
        let say = |text: &str| {
            if !global.quiet {
                ui::look::say(&format!("{:.0} {}\n", Timestamp::now(), ui::paint::visible(text)));
            }
        };
        let work = Work {
            room: &room,
            workplace: &workplace,
            hosts: &hosts,
            door: &door,
            automat: Automat::default(),
            failures: HashMap::new(),
            say: &say,
        };
        let worked = until_signal(work).await;
        hosts.close().await;
        worked.map(|()| ExitCode::SUCCESS)
    }

    async fn door(&self, room: &Room) -> Result<Door> {
        let token = match &room.site.inventory.incidents.receiver.token {
            Some(token) => Some(
                token
                    .reveal()
                    .await
                    .map_err(|why| Error::invalid("the receiver's token cannot be had").cause(why))?,
            ),
            None if self.listen.ip().is_loopback() => None,
            None => {
                let message =
                    format!("`{}` can be reached from other machines, and there is no token", self.listen);
                return Err(Error::new(Kind::Refused, message)
                    .hint("incidents: { receiver: { token: { file: receiver-token } } }")
                    .hint("opsctl serve --listen 127.0.0.1:9096"));
            }
        };
        let inbox = Inbox::open(room.desk.root())?;
        let counts = Counts::default();
        counts.waiting.store(inbox.waiting()?.len() as u64, Ordering::Relaxed);
        Ok(Door { inbox, token, bell: Notify::new(), counts })
    }
}

fn announce(address: SocketAddr, global: &Global) -> Result<()> {
    match global.json {
        true => ui::look::give(&format!("{}\n", json!({ "kind": "serving", "address": address }))),
        false => {
            ui::look::say(&format!("takes alerts at http://{address}/alerts\n"));
            Ok(())
        }
    }
}

/// Pass after pass. A pass that is under way at the signal comes to its end: a message is not left half sent. A second signal does not wait.
async fn until_signal(mut work: Work<'_>) -> Result<()> {
    let listen =
        |kind| signal(kind).map_err(|error| Error::internal("cannot listen for signals").caused_by(&error));
    let (mut interrupt, mut terminate) = (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?);
    let door = work.door;
    loop {
        let mut is_over = false;
        {
            let pass = work.pass();
            tokio::pin!(pass);
            loop {
                tokio::select! {
                    () = &mut pass => break,
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                }
                if is_over {
                    return Ok(());
                }
                is_over = true;
            }
        }
        if is_over {
            return Ok(());
        }
        tokio::select! {
            _ = interrupt.recv() => return Ok(()),
            _ = terminate.recv() => return Ok(()),
            () = door.bell.notified() => {}
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}
