//! Pure data: what a site is made of, what a procedure says, and what a plan will do.

pub mod address;
pub mod affected;
pub mod check;
pub mod dns;
pub mod drift;
pub mod escalation;
pub mod extract;
pub mod facts;
mod form;
mod index;
pub mod inventory;
pub mod operation;
pub mod param;
pub mod plan;
pub mod promql;
pub mod release;
pub mod result;
pub mod runbook;
pub mod snapshot;
mod soundness;
pub mod source;
pub mod template;
pub mod thresholds;
pub mod touched;
pub mod view;
mod yaml;
