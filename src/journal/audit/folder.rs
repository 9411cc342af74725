//! The audit of a run's folder, with the outputs that its records name.

use std::cell::RefCell;

use super::{Anchor, Evidence, Output, Report, audit};
use crate::base::{Error, Result};
use crate::journal::elsewhere::Elsewhere;
use crate::journal::history::{JOURNAL, PLAN, present};
use crate::journal::store::RunDir;

impl RunDir {
    /// Verifies the run, against what others remember of it, too. A file that is missing is a fault like any other.
    ///
    /// # Errors
    /// When a file is there and cannot be read.
    pub fn audit(&self, anchors: &[Anchor]) -> Result<Report> {
        let failed = |error: std::io::Error| {
            Error::internal(format!("cannot read all of `{}`", self.path.display())).caused_by(&error)
        };
        let plan = present(&self.path, PLAN).map_err(failed)?;
        let journal = present(&self.path, JOURNAL).map_err(failed)?;
        let elsewhere = &Elsewhere::read(&self.path);
        let blobs = self.blobs();
        let unread = RefCell::new(None);
        let evidence = Evidence { run: self.id, plan: &plan, journal: &journal, anchors, elsewhere };
        let report = audit(evidence, |name| {
            blobs.look(name).unwrap_or_else(|error| {
                unread.replace(Some(error));
                Output::Missing
            })
        });
        unread.into_inner().map_or(Ok(report), Err)
    }
}
