//! What goes and why the rest stays: case by case, and on hosts made by chance.

mod backups;
mod images;
mod laws;
mod oracle;
mod others;
mod scene;
