//! Where a host keeps its receipts, and what is said when it cannot.

use std::fs::{self, File, FileTimes};
use std::time::{Duration, SystemTime};

use opsctl::base::id::RunId;
use opsctl::host::FailureKind;
use opsctl::host::lease::Take;

use crate::scene::{Scene, dispatch, try_take};

#[tokio::test]
async fn a_folder_that_is_lost_with_a_restart_is_refused() {
    let scene = Scene::new();
    let folder = format!("/dev/shm/opsctl-test-{}", scene.run);
    let mut spec = scene.sshd.spec();
    spec.state_dir = Some(folder.clone());
    let failure = scene.try_connect(&spec).await.place().await.unwrap_err();
    fs::remove_dir_all(&folder).unwrap();
    assert_eq!(failure.kind, FailureKind::Missing);
    assert!(failure.message.contains("does not survive a restart"), "{failure}");
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_or_is_open_to_everybody_is_refused() {
    let scene = Scene::new();
    let mut spec = scene.sshd.spec();
    spec.state_dir = Some("/proc/opsctl".to_owned());
    let failure = scene.try_connect(&spec).await.place().await.unwrap_err();
    assert!(failure.message.contains("cannot write to `/proc/opsctl`"), "{failure}");
    let open = scene.path("open to all");
    fs::create_dir(&open).unwrap();
    fs::set_permissions(&open, std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
    spec.state_dir = Some(open.display().to_string());
    let failure = scene.try_connect(&spec).await.place().await.unwrap_err();
    assert!(failure.message.contains("everybody can write"), "{failure}");
}

#[tokio::test]
async fn a_host_without_a_shell_is_refused_before_anything_runs() {
    let scene = Scene::with_shell("/bin/false");
    let failure = scene.connect().await.place().await.unwrap_err();
    assert_eq!((failure.kind, failure.is_dispatched), (FailureKind::Missing, false));
    assert!(failure.message.contains("did not start"), "{failure}");
}

#[tokio::test]
async fn the_folder_is_made_once() {
    let scene = Scene::new();
    let host = scene.connect().await;
    let place = host.place().await.unwrap();
    assert_eq!(place.folder, scene.path("host-state").display().to_string());
    assert_eq!(place.mode, "drwx------");
    assert_eq!(host.place().await.unwrap(), place);
}

#[tokio::test]
async fn receipts_that_were_removed_for_their_age_do_not_say_that_nothing_began() {
    let scene = Scene::new();
    // What is in a name must not make two of it.
    let beside = scene.path("state");
    fs::write(&beside, "not ours").unwrap();
    let mut spec = scene.sshd.spec();
    spec.state_dir = Some(scene.path("state of host").display().to_string());
    let host = scene.try_connect(&spec).await;
    let before = scene.take(&host).await;
    dispatch(&host, &before, &scene.key("step"), &scene.append("once")).await.unwrap();
    host.release(&before, None).await.unwrap();
    let again = scene.take(&host).await;
    assert_eq!(again.folder, before.folder);
    host.release(&again, None).await.unwrap();

    let receipts = scene.path("state of host").join("runs").join(scene.run.to_string());
    let long_ago = SystemTime::now() - Duration::from_secs(40 * 24 * 3600);
    File::open(&receipts).unwrap().set_times(FileTimes::new().set_modified(long_ago)).unwrap();
    let Take::Held(other) = try_take(&host, RunId::generate(), "bob", "seat-2", b"").await.unwrap() else {
        panic!("it was refused");
    };
    crate::scene::until("the old receipts are gone", async || !receipts.exists()).await;
    host.release(&other, None).await.unwrap();
    assert_eq!(fs::read_to_string(&beside).unwrap(), "not ours");
    assert_ne!(scene.take(&host).await.folder.id, before.folder.id);
}
