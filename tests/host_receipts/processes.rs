//! What is known of the processes of a command, and what becomes of them.

use opsctl::host::{Failure, FailureKind, Output};
use opsctl::run::receipt::{Processes, Receipt};

use crate::scene::{Scene, dispatch, shell, until};

/// The processes whose group is that of the command.
fn group_of(scene: &Scene, step: &str) -> Vec<u32> {
    let claim = std::fs::read_to_string(scene.receipts().join(format!("{step}.1.claim"))).unwrap();
    let group: u32 = claim.split(' ').nth(3).unwrap().parse().unwrap();
    let stats = std::fs::read_dir("/proc").unwrap().flatten();
    let stats = stats.filter_map(|entry| std::fs::read_to_string(entry.path().join("stat")).ok());
    let members = stats.filter(|stat| {
        let fields: Vec<_> = stat.rsplit(") ").next().unwrap().split(' ').collect();
        fields[2] == group.to_string() && fields[0] != "Z"
    });
    members.map(|stat| stat.split(' ').next().unwrap().parse().unwrap()).collect()
}

/// What comes of a command that is ended while it does `line`, after it has done `first`.
async fn ended(first: &str, line: &str) -> (Scene, Result<Output, Failure>) {
    let scene = Scene::new();
    let host = scene.connect().await;
    let hold = scene.take(&host).await;
    let (key, command) =
        (scene.key("step"), shell(&format!("{first}; touch '{}'; {line}", scene.path("began").display())));
    let following = dispatch(&host, &hold, &key, &command);
    let ending = async {
        until("it began", async || scene.path("began").exists()).await;
        assert!(!group_of(&scene, "step").is_empty());
        assert_eq!(host.end(&hold, &key).await, Processes::Ended);
        assert_eq!(group_of(&scene, "step"), [0_u32; 0], "nothing of it is left");
    };
    let (result, ()) = futures_util::join!(following, ending);
    (scene, result)
}

#[tokio::test]
async fn a_command_is_ended_with_its_children() {
    let (_scene, result) = ended(":", "sleep 600 & sleep 601 & (sleep 602; sleep 603) & wait").await;
    assert_eq!(result.unwrap().status, 128 + 15);
}

#[tokio::test]
async fn a_command_that_ignores_the_request_is_killed() {
    let (_scene, result) = ended("trap '' TERM", "sleep 600; sleep 601; sleep 602").await;
    assert_eq!(result.unwrap().status, 128 + 9);
}

/// Its first process is a zombie then, as whoever should reap it has not got to that.
#[tokio::test]
async fn a_command_whose_child_ignores_the_request_is_killed_although_it_is_dead_itself() {
    let scene = Scene::new();
    let host = scene.connect().await;
    let hold = scene.take(&host).await;
    let began = scene.path("began").display().to_string();
    let line = format!("sh -c 'trap : TERM; touch \"{began}\"; while :; do sleep 0.1; done' & wait");
    let (key, command) = (scene.key("step"), shell(&line));
    let following = dispatch(&host, &hold, &key, &command);
    let ending = async {
        until("it began", async || scene.path("began").exists()).await;
        let claim = std::fs::read_to_string(scene.receipts().join("step.1.claim")).unwrap();
        let watcher = claim.split(' ').nth(5).unwrap();
        let signal = |signal: &str| std::process::Command::new("kill").args([signal, "--", watcher]).status();
        assert!(signal("-STOP").unwrap().success());
        assert_eq!(host.end(&hold, &key).await, Processes::Ended);
        assert_eq!(group_of(&scene, "step"), [0_u32; 0], "nothing of it is left");
        assert!(signal("-CONT").unwrap().success());
    };
    let (result, ()) = futures_util::join!(following, ending);
    assert_eq!(result.unwrap().status, 128 + 15);
}

#[tokio::test]
async fn a_command_whose_processes_were_killed_with_what_watched_them_is_cut_and_not_failed() {
    let scene = Scene::new();
    let host = scene.connect().await;
    let hold = scene.take(&host).await;
    let (key, command) =
        (scene.key("cut"), shell(&format!("echo began >>'{}'; sleep 600", scene.path("effects").display())));
    let following = dispatch(&host, &hold, &key, &command);
    let killing = async {
        until("it began", async || scene.lines("effects") == ["began"]).await;
        let claim = std::fs::read_to_string(scene.receipts().join("cut.1.claim")).unwrap();
        let words: Vec<_> = claim.split(' ').collect();
        // First the one that would write down the end, then the command.
        for pid in [words[5].to_owned(), format!("-{}", words[3])] {
            assert!(std::process::Command::new("kill").args(["-9", "--", &pid]).status().unwrap().success());
        }
        until("it is known", async || {
            matches!(host.receipt(&hold, &key).await.unwrap(), Receipt::Cut { .. })
        })
        .await;
        // Who asks again is told the same, and nothing is begun.
        let again = dispatch(&host, &hold, &key, &command).await.unwrap_err();
        assert_eq!((again.kind, again.is_dispatched), (FailureKind::Lost, true));
    };
    // Nobody is left to say how it ended, so whoever follows it waits: the engine looks at the receipt.
    tokio::select! {
        _ = following => {}
        () = killing => {}
    }
    assert_eq!(scene.lines("effects"), ["began"]);
}

#[tokio::test]
async fn a_claim_of_another_boot_is_cut() {
    let scene = Scene::new();
    let host = scene.connect().await;
    let hold = scene.take(&host).await;
    let key = scene.key("old");
    dispatch(&host, &hold, &key, &scene.append("once")).await.unwrap();
    let receipt = |ending: &str| scene.receipts().join(format!("old.1.{ending}"));
    let claim = std::fs::read_to_string(receipt("claim")).unwrap();
    let mut words: Vec<_> = claim.split(' ').map(String::from).collect();
    words[2] = "11111111-2222-3333-4444-555555555555".to_owned();
    // This very process is alive, and has that number now.
    words[3] = std::process::id().to_string();
    std::fs::write(receipt("claim"), words.join(" ")).unwrap();
    std::fs::write(receipt("exit"), "         \n").unwrap();
    assert!(matches!(host.receipt(&hold, &key).await.unwrap(), Receipt::Cut { .. }));
    assert!(dispatch(&host, &hold, &key, &scene.append("twice")).await.is_err());
    assert_eq!(scene.lines("effects"), ["once"]);
}
