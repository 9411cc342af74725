//! A host that has no room left: it is taken and given commands all the same, and never by two at once.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};

use futures_util::future::join_all;
use opsctl::base::id::RunId;
use opsctl::host::lease::{Hold, Take};
use opsctl::host::{FailureKind, Host};
use opsctl::run::lease::Holder;
use opsctl::run::receipt::Receipt;

use crate::common::small::Small;
use crate::scene::{Scene, dispatch, refused, shell, try_take, until};

/// Where the host keeps what it has to keep.
const STATE: &str = "state of host";

/// A host whose folder is on a disk that fills up.
struct Full {
    scene: Scene,
    small: Small,
}

impl Full {
    fn new(small: Small, shell: &str) -> Full {
        Full { scene: Scene::on(&small, shell), small }
    }

    async fn connect(&self) -> Host {
        let mut spec = self.scene.sshd.spec();
        spec.state_dir = Some(self.small.path(STATE).display().to_string());
        self.scene.try_connect(&spec).await
    }

    async fn take(&self, host: &Host, operator: &str) -> Hold {
        let taken = try_take(host, self.scene.run, operator, "seat-1", b"{\"seq\":1}\n").await.unwrap();
        let Take::Held(hold) = taken else { panic!("the host was not given") };
        hold
    }

    async fn take_another(&self, host: &Host) -> Hold {
        let taken = try_take(host, RunId::generate(), "bob", "seat-2", b"").await.unwrap();
        let Take::Held(hold) = taken else { panic!("the host was not given") };
        hold
    }

    /// The files of the folder on the disk, without the reserve's.
    fn on_disk(&self) -> BTreeSet<String> {
        let found = self.small.sh(&format!("cd '{STATE}' && find . -type f ! -path './reserve/*'"));
        found.lines().map(String::from).collect()
    }

    fn has_reserve(&self) -> bool {
        self.small.sh(&format!("ls '{STATE}/reserve' 2>/dev/null")).lines().count() == 65
    }

    /// Fills it up, the reserve included.
    fn fill_all(&self) {
        self.small.sh(&format!("rm -rf '{STATE}/reserve'; sync -f ."));
        self.small.fill();
    }
}

/// A whole turn at a run, with nothing on the disk.
async fn a_turn_in_memory(full: &Full) {
    let Full { scene, small } = full;
    let before = full.on_disk();
    let host = full.connect().await;
    let place = host.place().await.unwrap();
    let memory = small.memory(STATE).display().to_string();
    assert_eq!(place.folder, small.path(STATE).display().to_string());
    assert_eq!(place.memory, Some(memory.clone()));

    let hold = full.take(&host, "ada").await;
    assert_eq!((hold.folder.path.as_str(), hold.folder.is_in_memory), (memory.as_str(), true));
    let mode = fs::metadata(&memory).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o700, "as the folder has it, or would have");
    hold.records.push(b"{\"seq\":2}".to_vec());
    let key = scene.key("restart[argus-2]");
    for _ in 0..2 {
        assert_eq!(dispatch(&host, &hold, &key, &scene.append("once")).await.unwrap().status, 0);
    }
    let long = shell("head -c 600000 /dev/zero | tr '\\0' y");
    let ended = dispatch(&host, &hold, &scene.key("long"), &long).await.unwrap();
    assert!(ended.status == 0 && ended.stdout == "y".repeat(600_000), "{}", ended.stderr);
    // A connection that was lost finds all of it.
    scene.sshd.signal_connections("KILL");
    let host = full.connect().await;
    assert_eq!(host.receipt(&hold, &key).await.unwrap(), Receipt::Ended { status: 0 });
    assert_eq!(host.receipt(&hold, &scene.key("other")).await.unwrap(), Receipt::Unclaimed);
    let seen = full.connect().await.seen_lease().await.unwrap().unwrap();
    assert!(seen.is_attended && seen.lease.fence == hold.fence, "{seen:?}");
    host.release(&hold, None).await.unwrap();
    let seen = host.seen_lease().await.unwrap().unwrap();
    assert!(matches!(seen.lease.holder, Holder::Released { .. }), "{seen:?}");

    assert_eq!(host.kept_runs().await.unwrap(), [scene.run]);
    let copy = host.copy_of(scene.run).await.unwrap().unwrap();
    assert_eq!(copy.journal, b"{\"seq\":1}\n{\"seq\":2}\n");
    assert_eq!(copy.plan, b"{\"plan\":1}");
    assert_eq!(scene.lines("effects"), ["once"]);
    assert_eq!(full.on_disk(), before, "the disk was left alone");
}

async fn without_a_byte(shell: &str) {
    let full = Full::new(Small::new(16, 1024), shell);
    full.small.sh(&format!("mkdir -m 700 '{STATE}'"));
    full.small.fill();
    a_turn_in_memory(&full).await;
}

#[tokio::test]
async fn a_host_without_a_byte_left_keeps_a_run_in_memory_under_dash() {
    without_a_byte("dash").await;
}

#[tokio::test]
async fn a_host_without_a_byte_left_keeps_a_run_in_memory_under_bash() {
    without_a_byte("bash").await;
}

#[tokio::test]
async fn a_host_without_a_byte_left_keeps_a_run_in_memory_under_busybox() {
    without_a_byte("busybox").await;
}

#[tokio::test]
async fn a_host_without_an_inode_left_keeps_a_run_in_memory() {
    for shell in ["dash", "busybox"] {
        let full = Full::new(Small::new(128, 128), shell);
        full.small.sh(&format!("mkdir -m 700 '{STATE}'"));
        full.small.fill_inodes();
        a_turn_in_memory(&full).await;
    }
}

#[tokio::test]
async fn a_host_that_has_no_room_for_the_folder_itself_keeps_a_run_in_memory() {
    let full = Full::new(Small::new(16, 64), "sh");
    full.small.fill_inodes();
    full.small.fill();
    a_turn_in_memory(&full).await;
    // The folder is made when there is room, and what is in memory counts still.
    full.small.free();
    let host = full.connect().await;
    let later = full.take_another(&host).await;
    assert!(!later.folder.is_in_memory && later.fence == 3, "{}", later.fence);
    assert_eq!(host.kept_runs().await.unwrap().len(), 2);
}

/// A receipt takes several.
#[tokio::test]
async fn a_host_with_a_few_inodes_left_is_one_without() {
    let full = Full::new(Small::new(16, 128), "sh");
    let host = full.connect().await;
    let hold = full.take(&host, "ada").await;
    for left in 0..9 {
        full.small.fill_inodes();
        full.small.sh(&format!("find . -name 'fill.i*' | head -n {left} | xargs rm -f; sync -f ."));
        let (step, line) = (format!("step-{left}"), left.to_string());
        dispatch(&host, &hold, &full.scene.key(&step), &full.scene.append(&line)).await.unwrap();
        let Receipt::Ended { status: 0 } = host.receipt(&hold, &full.scene.key(&step)).await.unwrap() else {
            panic!("{step} left no receipt");
        };
    }
    assert_eq!(full.scene.lines("effects").len(), 9);
    host.release(&hold, None).await.unwrap();
}

async fn the_reserve_is_given_away(shell: &str) {
    let full = Full::new(Small::new(160, 4096), shell);
    let host = full.connect().await;
    let first = full.take(&host, "ada").await;
    until("there is a reserve", async || full.has_reserve()).await;
    dispatch(&host, &first, &full.scene.key("first"), &full.scene.append("first")).await.unwrap();
    host.release(&first, None).await.unwrap();
    full.small.fill();

    let next = full.take(&host, "ada").await;
    assert!(!next.folder.is_in_memory && next.folder == first.folder, "there was room for a turn");
    assert!(!full.has_reserve());
    dispatch(&host, &next, &full.scene.key("next"), &full.scene.append("next")).await.unwrap();
    assert!(!full.small.memory(STATE).exists());
    host.release(&next, None).await.unwrap();

    full.small.free();
    let last = full.take(&host, "ada").await;
    until("there is a reserve again", async || full.has_reserve()).await;
    host.release(&last, None).await.unwrap();
}

#[tokio::test]
async fn a_reserve_is_given_away_on_a_full_disk_and_made_anew_when_there_is_room() {
    the_reserve_is_given_away("dash").await;
    the_reserve_is_given_away("busybox").await;
}

/// The disk fills up while a turn is under way.
async fn in_the_middle(shell_of_host: &str) {
    let full = Full::new(Small::new(16, 1024), shell_of_host);
    let scene = &full.scene;
    let host = full.connect().await;
    let hold = full.take(&host, "ada").await;
    dispatch(&host, &hold, &scene.key("before"), &scene.append("before")).await.unwrap();
    let go = scene.path("go");
    let waiting = shell(&format!("echo began; until test -e '{}'; do sleep 0.05; done", go.display()));
    let key = scene.key("waiting");
    let following = dispatch(&host, &hold, &key, &waiting);
    let meanwhile = async {
        until("it runs", async || host.receipt(&hold, &key).await.unwrap() == Receipt::Running).await;
        full.small.fill();
        hold.records.push(b"{\"seq\":2}".to_vec());
        let long = shell("head -c 300000 /dev/zero | tr '\\0' y");
        for step in ["after", "after that"] {
            hold.records.push(format!("{{\"step\":\"{step}\",\"x\":\"{}\"}}", "x".repeat(5000)).into_bytes());
            let ended = dispatch(&host, &hold, &scene.key(step), &long).await.unwrap();
            assert!(ended.status == 0 && ended.stdout.len() == 300_000, "{step}: {}", ended.stderr);
        }
        fs::write(&go, "").unwrap();
    };
    let (ended, ()) = futures_util::join!(following, meanwhile);
    assert_eq!(ended.unwrap().stdout, "began\n", "what runs is not disturbed");
    // What is on the disk and what is in memory are one.
    scene.sshd.signal_connections("KILL");
    let host = full.connect().await;
    for step in ["before", "waiting", "after"] {
        let receipt = host.receipt(&hold, &scene.key(step)).await.unwrap();
        assert_eq!(receipt, Receipt::Ended { status: 0 }, "{step}");
    }
    dispatch(&host, &hold, &scene.key("before"), &scene.append("before")).await.unwrap();
    assert_eq!(scene.lines("effects"), ["before"]);
    host.release(&hold, None).await.unwrap();
    let copy = host.copy_of(scene.run).await.unwrap().unwrap();
    assert_eq!(copy.journal.iter().filter(|byte| **byte == b'\n').count(), 4, "the copy is whole");
    // The next turn of the run finds them, too.
    let again = try_take(&host, scene.run, "ada", "seat-1", &copy.journal).await.unwrap();
    let Take::Held(again) = again else { panic!("the host was not given") };
    assert_eq!(again.folder.id, hold.folder.id);
    assert_eq!(host.receipt(&again, &scene.key("before")).await.unwrap(), Receipt::Ended { status: 0 });
    host.release(&again, None).await.unwrap();

    // A restart loses a part of them, and then they are others.
    fs::remove_dir_all(full.small.memory(STATE)).unwrap();
    full.small.free();
    let last = try_take(&full.connect().await, scene.run, "ada", "seat-1", &copy.journal).await.unwrap();
    match last {
        Take::Held(last) => assert_ne!(last.folder.id, hold.folder.id),
        Take::Refused(by) => panic!("{by:?}"),
        Take::Outrun { records } => panic!(
            "{records} more: {}",
            full.small.sh(&format!("ls -lR '{STATE}'; tail -c 100 '{STATE}'/runs/*/journal.*"))
        ),
    }
}

#[tokio::test]
async fn a_disk_that_fills_up_in_the_middle_of_a_turn_does_not_stop_it_under_dash() {
    in_the_middle("dash").await;
}

#[tokio::test]
async fn a_disk_that_fills_up_in_the_middle_of_a_turn_does_not_stop_it_under_bash() {
    in_the_middle("bash").await;
}

#[tokio::test]
async fn a_disk_that_fills_up_in_the_middle_of_a_turn_does_not_stop_it_under_busybox() {
    in_the_middle("busybox").await;
}

#[tokio::test]
async fn of_many_that_race_for_a_host_that_is_full_one_gets_it() {
    let full = Full::new(Small::new(16, 1024), "sh");
    full.small.sh(&format!("mkdir -m 700 '{STATE}'"));
    full.small.fill();
    let hosts = join_all((0..6).map(|_| full.connect())).await;
    let mut places = BTreeSet::new();
    for round in 0..8 {
        let racing = hosts.iter().enumerate().map(|(at, host)| async move {
            try_take(host, RunId::generate(), &format!("operator-{at}"), &format!("seat-{at}"), b"")
                .await
                .unwrap()
        });
        // From the second round on, room comes and goes meanwhile: some find it full, and others do not.
        let flapping = async {
            for _ in 0..6 * round.min(1) {
                full.small.free();
                tokio::time::sleep(std::time::Duration::from_millis(3 * round)).await;
                full.small.fill();
            }
        };
        let (came, ()) = futures_util::join!(join_all(racing), flapping);
        let won: Vec<_> =
            came.iter().enumerate().filter(|(_, taken)| matches!(taken, Take::Held(_))).collect();
        assert_eq!(won.len(), 1, "round {round}");
        let (winner, Take::Held(hold)) = won[0] else { unreachable!() };
        places.insert(hold.folder.is_in_memory);
        hosts[winner].holds(hold).await.unwrap();
        hosts[winner].release(hold, None).await.unwrap();
    }
    assert!(places.contains(&true));
}

#[tokio::test]
async fn a_holder_of_an_older_fence_is_refused_wherever_the_newer_one_is() {
    let full = Full::new(Small::new(16, 1024), "sh");
    let (old, new) = (full.connect().await, full.connect().await);
    let on_disk = full.take(&old, "ada").await;
    assert!(!on_disk.folder.is_in_memory);
    full.fill_all();
    // Somebody else sees who has it, and takes it away: that is in memory now.
    assert!(matches!(refused(&new, RunId::generate(), "bob", "seat-2").await.holder, Holder::Run { .. }));
    assert_eq!(new.break_lease(1, "bob", "ada is asleep").await.unwrap(), Some(2));
    let failure =
        dispatch(&old, &on_disk, &full.scene.key("a"), &full.scene.append("stale")).await.unwrap_err();
    assert_eq!((failure.kind, failure.is_dispatched), (FailureKind::Fenced, false));
    assert_eq!(old.holds(&on_disk).await.unwrap_err().kind, FailureKind::Fenced);

    let in_memory = full.take_another(&new).await;
    assert!(in_memory.folder.is_in_memory && in_memory.fence == 3);
    full.small.free();
    assert_eq!(old.break_lease(3, "ada", "bob is asleep").await.unwrap(), Some(4));
    assert_eq!(new.holds(&in_memory).await.unwrap_err().kind, FailureKind::Fenced);
    let third = full.take(&old, "ada").await;
    assert!(!third.folder.is_in_memory && third.fence == 5, "there is room again");
    old.holds(&third).await.unwrap();
    let seen = new.seen_lease().await.unwrap().unwrap();
    assert!(seen.lease.fence == 5 && seen.is_attended, "{seen:?}");
    assert!(full.scene.lines("effects").is_empty());
}

#[tokio::test]
async fn a_restart_loses_what_was_in_memory_and_nobody_goes_on_with_it() {
    let full = Full::new(Small::new(16, 1024), "sh");
    full.small.sh(&format!("mkdir -m 700 '{STATE}'"));
    full.small.fill();
    let host = full.connect().await;
    let before = full.take(&host, "ada").await;
    dispatch(&host, &before, &full.scene.key("a"), &full.scene.append("a")).await.unwrap();
    full.scene.sshd.signal_connections("KILL");
    fs::remove_dir_all(full.small.memory(STATE)).unwrap();

    let host = full.connect().await;
    let failure = host.receipt(&before, &full.scene.key("a")).await.unwrap_err();
    assert!(
        failure.kind == FailureKind::Fenced && failure.message.contains("not there any more"),
        "{failure}"
    );
    // Another folder: whoever asks for an older receipt is told by its id that there is none.
    full.small.free();
    let after = full.take(&host, "ada").await;
    assert!(!after.folder.is_in_memory);
    assert_ne!(after.folder.id, before.folder.id);
}

#[tokio::test]
async fn what_somebody_else_has_put_into_the_place_in_memory_counts_for_nothing() {
    let full = Full::new(Small::new(16, 1024), "sh");
    let memory = full.small.memory(STATE);
    let host = full.connect().await;
    let forge = || {
        fs::create_dir(&memory).unwrap();
        for part in ["leases", "runs"] {
            fs::create_dir(memory.join(part)).unwrap();
        }
        fs::write(memory.join("leases/9"), "free\n{}\n").unwrap();
    };
    let mine = full.small.path(STATE).with_file_name("elsewhere");
    let strangers: [&dyn Fn(); 3] = [
        &|| {
            forge();
            chown(&memory, Some(12345), None).unwrap();
        },
        &|| {
            forge();
            fs::set_permissions(&memory, fs::Permissions::from_mode(0o777)).unwrap();
        },
        &|| symlink(&mine, &memory).unwrap(),
    ];
    for (at, prepare) in strangers.into_iter().enumerate() {
        prepare();
        let hold = full.take_another(&host).await;
        assert_eq!(hold.fence, 2 * at as u64 + 1, "its leases are not looked at");
        host.release(&hold, None).await.unwrap();
        full.fill_all();
        let Err(failure) = try_take(&host, full.scene.run, "ada", "seat-1", b"").await else {
            panic!("it was taken");
        };
        assert!(failure.message.contains("cannot write"), "{failure}");
        full.small.free();
        fs::remove_dir_all(&memory).or_else(|_| fs::remove_file(&memory)).unwrap();
    }
}
