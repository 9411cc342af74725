//! What is wrong with a release is said before any host is asked.

use crate::scene::Scene;

fn scene() -> Scene {
    let scene = Scene::new();
    scene.file(
        "opsctl.yaml",
        "name: t\nhosts:\n  here: { address: local }\nprojects:\n  web: { host: here, directory: /srv/web }\nservices:\n  \
         argus:\n    project: web\n    instances:\n      argus-1: { health: 'http://localhost:1/health' }\n",
    );
    scene
}

#[test]
fn an_unknown_service_names_the_ones_that_there_are() {
    insta::assert_snapshot!(scene().opsctl(&["deploy", "argos", "v1"]).ends_with(2));
}

#[test]
fn a_watch_needs_somebody_who_goes_first() {
    insta::assert_snapshot!(scene().opsctl(&["deploy", "argus", "v1", "--watch", "5m"]).ends_with(2));
}

#[test]
fn no_step_waits_longer_than_it_may_take() {
    insta::assert_snapshot!(scene().opsctl(&["rollback", "argus", "--drain", "1h"]).ends_with(2));
}

#[test]
fn a_pointer_that_is_none_is_shown_with_a_caret() {
    let scene = scene();
    let text = std::fs::read_to_string(scene.path("opsctl.yaml")).unwrap();
    scene.file("opsctl.yaml", &text.replace("project: web\n", "project: web\n    version: version\n"));
    insta::assert_snapshot!(scene.opsctl(&["releases"]).ends_with(3));
}
