//! The real engine and the real journal on simulated hosts: every runbook, every request going wrong in every way, and a death
//! after every record. However it goes, the run comes to its end, nothing that must not is done twice, and nothing is forgotten.

mod deaths;
mod fault;
mod faults;
mod ledger;
mod life;
mod model;
mod plans;
mod site;
mod smooth;
mod stuck;
mod twice;
mod verdict;
mod world;

/// Where journals go: into memory, where there is such a place. They are synced after every record.
fn folder() -> tempfile::TempDir {
    let memory = std::path::Path::new("/dev/shm");
    let made = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    made.or_else(|_| tempfile::tempdir()).unwrap()
}

/// Time that passes at once when nothing else happens.
fn in_no_time<T>(what: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.unwrap().block_on(what)
}
