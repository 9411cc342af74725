//! The engine on a scripted world: what each request is answered is said beforehand, and time passes by itself.

mod attempts;
mod cancelling;
mod checks;
mod journal;
mod scene;
