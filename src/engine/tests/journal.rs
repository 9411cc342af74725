//! A journal that cannot be written: nothing more is begun.

use std::fs::File;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::scene::{Run, step};
use super::script::{Script, exit};
use crate::model::plan::Effect;
use crate::run::signal::Signal;
use crate::run::state::StepStatus;

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

#[tokio::test(start_paused = true)]
async fn how_a_step_ended_is_known_even_when_there_is_no_room_for_its_output() {
    let world = Script::new([("do", vec![exit(0)])]);
    let mut run = Run::new(vec![step(Effect::Changes)]);
    // No folder can be made where a file is.
    std::fs::write(run.turn.dir.path.join("blobs"), "").unwrap();
    run.drive_telling(&world, &|_| {}).await.unwrap_err();
    let steps: Vec<_> = run.turn.journal.state().steps.values().map(|step| step.status).collect();
    assert_eq!(steps, [StepStatus::Succeeded]);
}
