//! What fills the disks of a host, which of it could go, and why the rest must not.
//!
//! [`contents`] is what was found, [`judge`] decides, and [`survey`] is what came of it. Nothing here does I/O.

pub mod contents;
pub mod judge;
pub mod survey;
pub mod terms;

#[cfg(test)]
pub(crate) mod world;
