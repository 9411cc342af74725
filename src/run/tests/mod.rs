//! The proofs of this layer: the table of transitions, what is decided when, and laws that hold for any plan and any fault.

mod approvals;
mod decisions;
mod fate;
mod groups;
mod laws;
mod plans;
mod reach;
mod receipts;
mod rescue;
mod scene;
mod simulator;
mod transitions;
mod undo;
mod unknown;
mod world;
