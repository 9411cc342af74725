//! A command takes effect once, whoever asks for it and however often.

use futures_util::future::join_all;
use opsctl::host::FailureKind;
use opsctl::host::lease::Take;
use opsctl::run::receipt::Receipt;

use crate::scene::{Scene, dispatch, shell, try_take, until};

async fn once_under(shell_of_host: &str) {
    let scene = Scene::with_shell(shell_of_host);
    let host = scene.connect().await;
    let hold = scene.take(&host).await;
    let (key, command) = (scene.key("restart[argus-2]"), scene.append("once"));
    assert_eq!(host.receipt(&hold, &key).await.unwrap(), Receipt::Unclaimed);
    let racing = (0..4).map(|_| dispatch(&host, &hold, &key, &command));
    for ended in join_all(racing).await {
        assert_eq!(ended.unwrap().status, 0);
    }
    assert_eq!(host.receipt(&hold, &key).await.unwrap(), Receipt::Ended { status: 0 });
    // Another connection, which takes up the same lease.
    let other = scene.connect().await;
    assert_eq!(dispatch(&other, &hold, &key, &command).await.unwrap().status, 0);
    assert_eq!(scene.lines("effects"), ["once"]);
    let which =
        dispatch(&other, &hold, &scene.key("which"), &shell("readlink /proc/$$/exe; true")).await.unwrap();
    assert!(which.stdout.trim().ends_with(shell_of_host), "{which:?}");

    let failing = dispatch(&other, &hold, &scene.key("fails"), &shell("echo no >&2; exit 7")).await.unwrap();
    assert_eq!((failing.status, failing.stderr.as_str()), (7, "no\n"));
    let killed = dispatch(&other, &hold, &scene.key("killed"), &shell("kill -9 $$")).await.unwrap();
    assert_eq!(killed.status, 128 + 9);
    let mut given = shell("cat");
    given.stdin = Some("two lines\nand no end".to_owned());
    assert_eq!(
        dispatch(&other, &hold, &scene.key("given"), &given).await.unwrap().stdout,
        "two lines\nand no end"
    );
}

#[tokio::test]
async fn a_command_runs_once_under_dash() {
    once_under("dash").await;
}

#[tokio::test]
async fn a_command_runs_once_under_bash() {
    once_under("bash").await;
}

#[tokio::test]
async fn a_command_runs_once_under_busybox() {
    once_under("busybox").await;
}

#[tokio::test]
async fn a_command_that_cannot_be_begun_says_so_and_has_no_effect() {
    let scene = Scene::new();
    let host = scene.connect().await;
    let hold = scene.take(&host).await;
    let mut nowhere = scene.append("never");
    nowhere.directory = Some("/nowhere at all".to_owned());
    let failure = dispatch(&host, &hold, &scene.key("nowhere"), &nowhere).await.unwrap_err();
    assert_eq!((failure.kind, failure.is_dispatched), (FailureKind::Missing, false));
    assert!(failure.message.contains("/nowhere at all"), "{failure}");
    assert_eq!(host.receipt(&hold, &scene.key("nowhere")).await.unwrap(), Receipt::Unclaimed);
    assert!(scene.lines("effects").is_empty());
}

#[tokio::test]
async fn a_holder_of_an_older_fence_is_refused_by_the_host() {
    let scene = Scene::new();
    let (old, new) = (scene.connect().await, scene.connect().await);
    let older = scene.take(&old).await;
    dispatch(&old, &older, &scene.key("first"), &scene.append("first")).await.unwrap();
    let broken = new.break_lease(older.fence, "bob", "ada's laptop is asleep").await.unwrap();
    assert_eq!(broken, Some(older.fence + 1));
    for _ in 0..2 {
        let failure = dispatch(&old, &older, &scene.key("second"), &scene.append("stale")).await.unwrap_err();
        assert_eq!((failure.kind, failure.is_dispatched), (FailureKind::Fenced, false));
    }
    assert_eq!(old.holds(&older).await.unwrap_err().kind, FailureKind::Fenced);
    let Take::Held(newer) = try_take(&new, scene.run, "bob", "seat-2", b"").await.unwrap() else {
        panic!("the host was not given");
    };
    assert!(newer.fence > older.fence);
    dispatch(&new, &newer, &scene.key("second.again"), &scene.append("second")).await.unwrap();
    assert_eq!(scene.lines("effects"), ["first", "second"]);
}

#[tokio::test]
async fn a_command_outlives_its_connection_and_is_found_again() {
    let scene = Scene::new();
    let host = scene.connect().await;
    let hold = scene.take(&host).await;
    let go = scene.path("go").display().to_string();
    let long = shell(&format!(
        "echo began; echo began >>'{}'; until test -e '{go}'; do sleep 0.05; done; echo ended",
        scene.path("effects").display()
    ));
    let key = scene.key("long");
    let lost = {
        let following = dispatch(&host, &hold, &key, &long);
        let cutting = async {
            until("the command began", async || scene.lines("effects") == ["began"]).await;
            scene.sshd.signal_connections("KILL");
        };
        futures_util::join!(following, cutting).0.unwrap_err()
    };
    assert!(lost.is_dispatched && lost.is_out_of_reach(), "{lost}");

    let again = scene.connect().await;
    assert_eq!(again.receipt(&hold, &key).await.unwrap(), Receipt::Running);
    let following = dispatch(&again, &hold, &key, &long);
    let letting_go = async { std::fs::write(&go, "").unwrap() };
    let ended = futures_util::join!(following, letting_go).0.unwrap();
    assert_eq!((ended.status, ended.stdout.as_str()), (0, "began\nended\n"));
    assert_eq!(scene.lines("effects"), ["began"], "it was the same one");
}
