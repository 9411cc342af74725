//! What an incident promises, with the real record, and channels that fail in every way there is.

mod keeping;
mod laws;
mod outbox;
mod scene;
mod ticking;
