//! A journal that cannot be written: nothing more is begun.

use std::fs::File;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::scene::{Run, Script, exit, step};
use crate::model::plan::Effect;
use crate::run::signal::Signal;

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_to_a_host_once_the_disk_is_full() {
    let full = || File::options().append(true).open("/dev/full").unwrap();
    let world = Script::new([("do", vec![exit(0)])]);
    let mut run = Run::new(vec![step(Effect::Changes)]);
    run.turn.journal.write_to(full());
    let told = AtomicUsize::new(0);
    let count = |_: Signal| {
        told.fetch_add(1, Ordering::Relaxed);
    };
    for _ in 0..2 {
        let error = run.drive_telling(&world, &count).await.unwrap_err();
        assert!(error.message.contains("journal"), "{}", error.message);
    }
    assert_eq!((world.times("do"), told.load(Ordering::Relaxed)), (0, 0));
}
