//! Pure data: what a site is made of, what a procedure says, and what a plan will do.

pub mod address;
pub mod check;
pub mod extract;
pub mod facts;
pub mod inventory;
pub mod operation;
pub mod param;
pub mod plan;
pub mod runbook;
pub mod template;
