//! What every command about an incident works with, and what it ends with: what is due is done, what waits is sent, and it is said to whom.

use std::process::ExitCode;

use jiff::tz::TimeZone;

use crate::base::clock::Clock;
use crate::base::{Error, Kind, Result};
use crate::cli::Global;
use crate::cli::operator::operator;
use crate::engine::locate::{self, Site};
use crate::engine::templates::Templates;
use crate::incident::desk::{Desk, Hand};
use crate::incident::event::Opening;
use crate::incident::follow::follow;
use crate::incident::office::Office;
use crate::incident::post::Couriers;
use crate::incident::tick::{Ticked, tick};
use crate::incident::untold::tell_untold;
use crate::journal::store::Store;
use crate::model::operation::quoted;
use crate::ui;

/// The desk with the incidents, and all that it takes to tell somebody.
pub struct Room {
    pub site: Site,
    pub desk: Desk,
    templates: Templates,
    zone: TimeZone,
    couriers: Couriers,
}

impl Room {
    /// # Errors
    /// When there is no inventory, or something is wrong in it.
    pub fn open(global: &Global) -> Result<Room> {
        Room::of(Site::load(&locate::inventory(global.inventory.as_deref())?)?)
    }

    /// # Errors
    /// When the inventory names a time zone that this machine does not know, or a folder cannot be read.
    pub fn of(site: Site) -> Result<Room> {
        let zone = match &site.inventory.incidents.zone {
            None => TimeZone::system(),
            Some(name) => TimeZone::get(name).map_err(|error| {
                Error::invalid(format!("the inventory's time zone `{name}` is not known here"))
                    .caused_by(&error)
                    .hint("incidents: { zone: Europe/Berlin }")
            })?,
        };
        Ok(Room {
            desk: Desk::open()?,
            templates: Templates::open(Some(site.folder()))?,
            couriers: Couriers::new(&site.inventory, site.folder()),
            zone,
            site,
        })
    }

    pub fn office(&self) -> Office<'_> {
        Office {
            inventory: &self.site.inventory,
            templates: &self.templates,
            zone: self.zone.clone(),
            post: &self.couriers,
        }
    }

    /// A turn at the incident that the person means.
    ///
    /// # Errors
    /// When there is none, there are several, it is of another site, or another process does not end its turn.
    pub fn take(&self, name: &str) -> Result<Hand> {
        let hand = self.desk.take(self.desk.find(name)?, &operator(), Clock::System)?;
        let Opening { site, inventory, .. } = &hand.state().opening;
        if *site == self.site.inventory.name {
            return Ok(hand);
        }
        let message = format!(
            "incident {} is one of `{site}`, and this is the inventory of `{}`",
            hand.id().short(),
            self.site.inventory.name
        );
        Err(Error::new(Kind::Refused, message).hint(format!("export OPSCTL_INVENTORY={}", quoted(inventory))))
    }

    /// Takes over what happened in the incident's runs, does what is due, and sends what waits.
    ///
    /// # Errors
    /// When the record cannot be written.
    pub async fn look_after(&self, hand: &mut Hand) -> Result<Ticked> {
        follow(hand, &Store::open()?)?;
        tell_untold(hand, &self.office())?;
        tick(hand, &self.office()).await
    }

    /// Does what is due, sends what waits, and says so. What a channel did not take is in the exit code.
    ///
    /// # Errors
    /// When the record cannot be written.
    pub async fn deliver(&self, hand: &mut Hand, global: &Global) -> Result<ExitCode> {
        let ticked = self.look_after(hand).await?;
        say(hand, &ticked, global)?;
        Ok(exit_code(&ticked))
    }
}

/// Says what was done and to whom messages went.
///
/// # Errors
/// When standard output cannot be written.
pub fn say(hand: &Hand, ticked: &Ticked, global: &Global) -> Result<()> {
    if global.json {
        return ui::look::give(&ui::incident::sent::json(hand.state(), ticked));
    }
    if !global.quiet || ticked.flushed.is_short() {
        ui::look::say(&ui::incident::sent::text(hand.state(), ticked));
    }
    Ok(())
}

/// Whether everybody was told who was to be told.
pub fn exit_code(ticked: &Ticked) -> ExitCode {
    match ticked.flushed.is_short() {
        true => ExitCode::from(Kind::Unnotified.exit_code()),
        false => ExitCode::SUCCESS,
    }
}
