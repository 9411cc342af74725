//! The rules, case by case: what is seen, and what it is put down to.

mod cases;
pub mod scene;
