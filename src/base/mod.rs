//! The ground that everything stands on: errors, names, time and amounts.

pub mod amount;
pub mod clock;
pub mod crash;
pub mod error;
pub mod id;
pub mod image;
pub mod nearest;
pub mod percent;
pub mod secret;
pub mod size;
pub mod stamp;
pub mod url;

pub use error::{Error, Kind, Result};
