//! The proofs of this layer: the table of transitions, what is decided when, and laws that hold for any plan and any fault.

mod decisions;
mod groups;
mod reach;
mod rescue;
mod scene;
mod transitions;
mod undo;
mod unknown;
