//! Decides what may go.

use super::contents::Contents;
use super::survey::Survey;
use super::terms::Cleanup;

/// What of all that was found could go, and why the rest stays.
pub fn judge(_contents: &Contents, _terms: &Cleanup) -> Survey {
    todo!()
}
