//! One holder at a time, and the other is told by whom.

use futures_util::future::join_all;
use opsctl::base::id::RunId;
use opsctl::host::lease::Take;
use opsctl::run::lease::Holder;

use crate::scene::{Scene, dispatch, refused, try_take};

fn operator(holder: &Holder) -> &str {
    match holder {
        Holder::Run { operator, .. } | Holder::Released { operator, .. } => operator,
        Holder::Broken { by, .. } => by,
    }
}

#[tokio::test]
async fn the_second_is_told_who_has_the_host_until_it_is_given_back() {
    let scene = Scene::new();
    let (first, second) = (scene.connect().await, scene.connect().await);
    assert_eq!(second.seen_lease().await.unwrap(), None);
    let hold = scene.take(&first).await;
    let another = RunId::generate();
    assert_eq!(operator(&refused(&second, another, "bob", "seat-2").await.holder), "ada");
    let seen = second.seen_lease().await.unwrap().unwrap();
    assert!(seen.is_attended && seen.lease.fence == 1, "{seen:?}");
    first.release(&hold, None).await.unwrap();
    let seen = second.seen_lease().await.unwrap().unwrap();
    assert!(matches!(seen.lease.holder, Holder::Released { .. }) && !seen.is_attended, "{seen:?}");
    assert!(matches!(try_take(&second, another, "bob", "seat-2", b"").await.unwrap(), Take::Held(_)));
}

#[tokio::test]
async fn of_many_that_race_for_a_host_one_gets_it() {
    let scene = Scene::new();
    let hosts = join_all((0..6).map(|_| scene.connect())).await;
    for round in 0..5 {
        let racing = hosts.iter().enumerate().map(|(at, host)| async move {
            (
                at,
                try_take(host, RunId::generate(), &format!("operator-{at}"), &format!("seat-{at}"), b"")
                    .await
                    .unwrap(),
            )
        });
        let came = join_all(racing).await;
        let won: Vec<_> = came.iter().filter(|(_, taken)| matches!(taken, Take::Held(_))).collect();
        assert_eq!(won.len(), 1, "round {round}");
        let (winner, Take::Held(hold)) = won[0] else { unreachable!() };
        for (_, taken) in &came {
            if let Take::Refused(by) = taken {
                assert_eq!(operator(&by.holder), format!("operator-{winner}"));
            }
        }
        hosts[*winner].release(hold, None).await.unwrap();
    }
}

#[tokio::test]
async fn the_same_run_goes_on_from_its_own_store_and_from_another_only_when_nobody_is_at_it() {
    let scene = Scene::new();
    let (first, second) = (scene.connect().await, scene.connect().await);
    scene.take(&first).await;
    assert_eq!(operator(&refused(&second, scene.run, "bob", "seat-2").await.holder), "ada");
    // Its own store has locked the run, so the process that took it before is no more.
    let Take::Held(again) = try_take(&second, scene.run, "ada", "seat-1", b"").await.unwrap() else {
        panic!("it was refused");
    };
    assert_eq!(again.fence, 2);
    // Nobody is at it any more, so that another one may take over.
    drop((first, second));
    let third = scene.connect().await;
    crate::scene::until("the runner ended", async || {
        matches!(try_take(&third, scene.run, "bob", "seat-2", b"").await.unwrap(), Take::Held(_))
    })
    .await;
}

#[tokio::test]
async fn a_host_has_a_copy_of_the_journal_that_another_store_may_not_fall_behind() {
    let scene = Scene::new();
    let host = scene.connect().await;
    let Take::Held(hold) = try_take(&host, scene.run, "ada", "seat-1", b"{\"seq\":1}\n").await.unwrap()
    else {
        panic!("it was refused");
    };
    hold.records.push(b"{\"seq\":2}".to_vec());
    dispatch(&host, &hold, &scene.key("a"), &scene.append("a")).await.unwrap();
    scene.sshd.signal_connections("KILL");
    // What the lost connection did not bring over comes with the next one.
    hold.records.push(b"{\"seq\":3}".to_vec());
    let host = scene.connect().await;
    dispatch(&host, &hold, &scene.key("b"), &scene.append("b")).await.unwrap();
    hold.records.push(b"{\"seq\":4}".to_vec());
    host.release(&hold, None).await.unwrap();

    let copy = host.copy_of(scene.run).await.unwrap().unwrap();
    assert_eq!(copy.plan, b"{\"plan\":1}");
    assert_eq!(
        String::from_utf8(copy.journal).unwrap(),
        "{\"seq\":1}\n{\"seq\":2}\n{\"seq\":3}\n{\"seq\":4}\n"
    );
    assert_eq!(host.kept_runs().await.unwrap(), [scene.run]);
    let behind = try_take(&host, scene.run, "ada", "seat-1", b"{\"seq\":1}\n{\"seq\":2}\n").await.unwrap();
    assert!(matches!(behind, Take::Outrun { records: 2 }));
    // Refusing it has not cost the copy.
    let all = b"{\"seq\":1}\n{\"seq\":2}\n{\"seq\":3}\n{\"seq\":4}\n{\"seq\":5}\n";
    assert!(matches!(try_take(&host, scene.run, "ada", "seat-1", all).await.unwrap(), Take::Held(_)));
    assert_eq!(host.copy_of(scene.run).await.unwrap().unwrap().journal, all);
}
