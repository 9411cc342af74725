//! The ground that everything stands on: errors, names, time, amounts, secrets.

pub mod amount;
pub mod clock;
pub mod error;
pub mod id;
pub mod nearest;
pub mod secret;
pub mod size;

pub use error::{Error, Kind, Result};
