//! The engine on a scripted world: what each request is answered is said beforehand, and time passes by itself.

mod approvals;
mod attempts;
mod cancelling;
mod checks;
mod following;
mod journal;
mod leasing;
mod preflight;
mod scene;
mod script;
