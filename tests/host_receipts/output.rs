//! What a command writes arrives whole, in order, and while it runs.

use opsctl::base::size::Size;
use opsctl::model::operation::Command;
use opsctl::run::signal::Stream;
use tokio::sync::mpsc::unbounded_channel;

use crate::scene::{Scene, dispatch, shell};

#[tokio::test]
async fn output_comes_as_it_was_written_whatever_it_is() {
    let scene = Scene::new();
    let host = scene.connect().await;
    let hold = scene.take(&host).await;
    let cases = [
        ("lines", "printf 'a\\n\\n  b \\\\n\\tc\\n'", "a\n\n  b \\n\tc\n".to_owned()),
        ("unended", "printf 'no end'", "no end".to_owned()),
        (
            "many",
            "i=0; while [ $i -lt 200 ]; do echo $i; i=$((i+1)); done",
            (0..200).map(|i| format!("{i}\n")).collect(),
        ),
        ("long", "head -c 3000 /dev/zero | tr '\\0' x; echo", format!("{}\n", "x".repeat(3000))),
        ("big", "head -c 600000 /dev/zero | tr '\\0' y", "y".repeat(600_000)),
    ];
    for (step, line, expected) in cases {
        let ended = dispatch(&host, &hold, &scene.key(step), &shell(line)).await.unwrap();
        assert_eq!(ended.stdout, expected, "{step}");
        // And from the receipt.
        let again = dispatch(&host, &hold, &scene.key(step), &shell(line)).await.unwrap();
        assert_eq!(again.stdout, expected, "{step}");
    }
}

#[tokio::test]
async fn of_a_command_that_says_so_more_is_kept() {
    let scene = Scene::new();
    let host = scene.connect().await;
    let hold = scene.take(&host).await;
    for (step, keep, is_whole) in [("usual", None, false), ("more", Some(Size(4 << 20)), true)] {
        let command = Command { keep, ..shell("head -c 3000000 /dev/zero | tr '\\0' y") };
        let dispatched = dispatch(&host, &hold, &scene.key(step), &command).await.unwrap();
        let run = host.run(&command, None, &mut |_, _| {}).await.unwrap();
        for output in [dispatched, run] {
            assert_eq!(output.stdout == "y".repeat(3_000_000), is_whole, "{step}: {}", output.stdout.len());
        }
    }
}

#[tokio::test]
async fn lines_are_shown_while_the_command_runs() {
    let scene = Scene::new();
    let host = scene.connect().await;
    let hold = scene.take(&host).await;
    let go = scene.path("go");
    let line =
        format!("echo one; echo two >&2; until test -e '{}'; do sleep 0.05; done; echo three", go.display());
    let (told, mut heard) = unbounded_channel();
    let (key, command) = (scene.key("slow"), shell(&line));
    let mut tell = |stream, line: &str| told.send((stream, line.to_owned())).unwrap();
    let following = host.dispatch(&hold, &key, None, &command, &mut tell);
    let listening = async {
        let mut lines = vec![heard.recv().await.unwrap(), heard.recv().await.unwrap()];
        lines.sort_by(|a, b| a.1.cmp(&b.1));
        assert_eq!(lines, [(Stream::Out, "one".to_owned()), (Stream::Err, "two".to_owned())]);
        std::fs::write(&go, "").unwrap();
    };
    let (ended, ()) = futures_util::join!(following, listening);
    assert_eq!(ended.unwrap().stdout, "one\nthree\n");
    assert_eq!(heard.recv().await, Some((Stream::Out, "three".to_owned())));
}
