//! Versions chosen and procedures composed, without any host.

use std::collections::BTreeSet;

use super::choose::{Target, Wanted, choose, known};
use super::compose::{Batch, Release, Terms, batches, runbook};
use super::order::by_needs;
use super::{Instance, Means, Running};
use crate::base::Result;
use crate::base::amount::Span;
use crate::base::image::Reference;
use crate::host::docker::images::{Image, Offer};
use crate::model::inventory::Inventory;
use crate::model::release::{self, History, Outcome};
use crate::model::source::Source;

/// The digest that a version has here: told by its name.
fn digest(version: &str) -> String {
    let hex: String = version.bytes().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex:0>64}")
}

fn image(version: &str) -> Reference {
    Reference {
        repository: "r/argus".to_owned(),
        tag: Some(version.to_owned()),
        digest: Some(digest(version)),
    }
}

fn plain(version: &str) -> Reference {
    Reference { digest: None, ..image(version) }
}

fn on_host(version: &str) -> Image {
    Image {
        id: format!("id-{version}"),
        tags: vec![plain(version).to_string()],
        digests: vec![format!("r/argus@{}", digest(version))],
    }
}

/// Instances with the versions that they run, and the versions whose images are on the host.
fn running(instances: &[(&str, &str)], local: &[&str], history: &[(&str, Outcome)]) -> Running {
    let instance = |(name, version): &(&str, &str)| Instance {
        name: (*name).to_owned(),
        image: plain(version),
        image_id: Some(format!("id-{version}")),
        configured: plain("v1"),
        is_pinned: false,
    };
    let release = |(version, outcome): &(&str, Outcome)| release::Release {
        at: String::new(),
        run: String::new(),
        by: String::new(),
        image: image(version).to_string(),
        outcome: *outcome,
        left: None,
    };
    Running {
        service: "argus".to_owned(),
        project: "p".to_owned(),
        host: "app".to_owned(),
        repository: "r/argus".to_owned(),
        instances: instances.iter().map(instance).collect(),
        means: Means::Pins,
        history: History { releases: history.iter().map(release).collect() },
        images: local.iter().map(|version| on_host(version)).collect(),
        needs: Vec::new(),
    }
}

/// What comes of a choice where the registry has `offered`: the version, or the message and its hints.
async fn chosen(running: &Running, wanted: Wanted<'_>, offered: &[&str]) -> String {
    let ask = async |asked: &Reference| -> Result<Offer> {
        let has =
            |version: &&&str| asked.tag.as_deref() == Some(version) || asked.digest == Some(digest(version));
        let found = offered.iter().find(has);
        Ok(found
            .map_or_else(|| Offer::No("it is not there".to_owned()), |version| Offer::Has(digest(version))))
    };
    match choose(running, wanted, ask).await {
        Ok(Target { image, is_local, .. }) => {
            assert!(image.digest.is_some(), "it is pinned");
            format!("{}{}", image.version(), if is_local { "" } else { " from the registry" })
        }
        Err(error) => {
            assert_eq!(error.kind.exit_code(), 4);
            format!("{error}; {}", error.hints.join("; "))
        }
    }
}

#[tokio::test]
async fn a_version_is_deployed_as_the_registry_has_it_or_as_the_host_has_it() {
    let now = running(&[("a-1", "v1"), ("a-2", "v1")], &["v1", "v2"], &[]);
    assert_eq!(chosen(&now, Wanted::Deploy("v3"), &["v3"]).await, "v3 from the registry");
    assert_eq!(chosen(&now, Wanted::Deploy("v2"), &[]).await, "v2");
    insta::assert_snapshot!(
        [
            chosen(&now, Wanted::Deploy("v3"), &[]).await,
            chosen(&now, Wanted::Deploy("v1"), &["v1"]).await,
            chosen(&now, Wanted::Deploy("a b"), &[]).await,
        ]
        .join("\n")
    );
}

#[tokio::test]
async fn a_tag_that_has_moved_is_deployed_by_its_new_digest_and_gone_back_to_by_its_old_one() {
    let mut now =
        running(&[("a-1", "v2")], &["v2"], &[("latest", Outcome::Healthy), ("v2", Outcome::Healthy)]);
    let moved = async |_: &Reference| Ok(Offer::Has(digest("newer")));
    let image = choose(&now, Wanted::Deploy("latest"), moved).await.unwrap().image;
    assert_eq!((image.tag.as_deref(), image.digest), (Some("latest"), Some(digest("newer"))));
    now.images.push(on_host("latest"));
    let image = choose(&now, Wanted::Rollback("latest"), moved).await.unwrap().image;
    assert_eq!(image.digest, Some(digest("latest")));
}

#[tokio::test]
async fn back_goes_to_the_last_healthy_release_that_does_not_run() {
    use Outcome::{Bad, Found, Healthy, Undone};
    let now = |local: &[&str], history: &[(&str, Outcome)]| {
        running(&[("a-1", "v3"), ("a-2", "v3")], local, history)
    };
    let history = [("v1", Found), ("v2", Healthy), ("v3", Healthy), ("v4", Bad)];
    assert_eq!(chosen(&now(&["v1", "v2", "v3", "v4"], &history), Wanted::Previous, &[]).await, "v2");
    assert_eq!(
        chosen(&now(&["v1", "v3"], &history), Wanted::Previous, &["v2"]).await,
        "v2 from the registry"
    );
    let undone = [("v1", Found), ("v2", Healthy), ("v2", Undone), ("v3", Healthy)];
    assert_eq!(chosen(&now(&["v1", "v2", "v3"], &undone), Wanted::Previous, &[]).await, "v1");
    insta::assert_snapshot!(
        [
            // Not the one before it instead: nobody asked for that.
            chosen(&now(&["v1", "v3"], &history), Wanted::Previous, &[]).await,
            chosen(&now(&["v3"], &[]), Wanted::Previous, &[]).await,
            chosen(&running(&[("a-1", "v2"), ("a-2", "v3")], &["v2", "v3"], &history), Wanted::Previous, &[])
                .await,
        ]
        .join("\n")
    );
}

#[test]
fn every_version_is_known_once() {
    let now =
        running(&[("a-1", "v2")], &["v1", "v2", "v5"], &[("v1", Outcome::Found), ("v2", Outcome::Healthy)]);
    let versions: Vec<_> = known(&now).iter().map(Reference::version).collect();
    assert_eq!(versions, ["v2", "v1", "v5"]);
}

fn terms(batch: usize, canary: usize, serving: Option<usize>) -> Terms {
    Terms {
        batch,
        serving,
        canary,
        watch: Span::secs(60),
        drain: Span::secs(30),
        patience: Span::secs(60),
        settle: Span::secs(10),
        by: "ada@laptop".to_owned(),
    }
}

fn to(version: &str) -> Target {
    Target { image: image(version), is_local: true, standing: None }
}

fn taken(running: &Running, healthy: &[&str], terms: &Terms) -> Vec<String> {
    let healthy: BTreeSet<String> = healthy.iter().map(|name| (*name).to_owned()).collect();
    match batches(running, &to("v2"), &healthy, terms) {
        Ok(batches) => batches
            .iter()
            .map(|Batch { instances, others, was, .. }| {
                format!("{} from {} while {} serve", instances.join("+"), was.version(), others.join("+"))
            })
            .collect(),
        Err(error) => vec![error.to_string()],
    }
}

#[test]
fn instances_that_do_not_serve_are_taken_first_and_those_that_are_there_and_well_are_left() {
    let now = running(&[("a-1", "v1"), ("a-2", "v1"), ("a-3", "v2")], &["v1", "v2"], &[]);
    assert_eq!(
        taken(&now, &["a-1", "a-3"], &terms(1, 0, None)),
        ["a-2 from v1 while a-1+a-3 serve", "a-1 from v1 while a-2+a-3 serve"]
    );
    assert_eq!(
        taken(&now, &[], &terms(1, 0, None)),
        ["a-1 from v1 while  serve", "a-2 from v1 while a-1 serve", "a-3 from v2 while a-1+a-2 serve"]
    );
}

#[test]
fn never_fewer_serve_than_are_wanted() {
    let names: Vec<String> = (0..10).map(|number| format!("a-{number}")).collect();
    let instances: Vec<_> = names.iter().map(|name| (name.as_str(), "v1")).collect();
    let healthy: Vec<&str> = names.iter().map(String::as_str).collect();
    let now = running(&instances, &["v1", "v2"], &[]);
    let healthy_set = healthy.iter().map(|name| (*name).to_owned()).collect();
    let all = batches(&now, &to("v2"), &healthy_set, &terms(3, 0, Some(7))).unwrap();
    assert_eq!(all.iter().map(|batch| batch.instances.len()).collect::<Vec<_>>(), [3, 3, 3, 1]);
    assert!(all.iter().all(|batch| batch.others.len() >= 7));
    let canary = batches(&now, &to("v2"), &healthy_set, &terms(3, 2, None)).unwrap();
    let sizes: Vec<_> = canary.iter().map(|batch| (batch.instances.len(), batch.is_canary)).collect();
    assert_eq!(sizes, [(2, true), (3, false), (3, false), (2, false)]);
    assert_eq!(
        taken(&now, &healthy, &terms(3, 0, Some(8))),
        ["with a-0, a-1, a-2 taken, 7 of the instances of `argus` would serve, and 8 have to"]
    );
    let two = running(&[("a-1", "v1"), ("a-2", "v1")], &["v1", "v2"], &[]);
    assert!(taken(&two, &["a-1", "a-2"], &terms(2, 0, None))[0].contains("1 have to"));
    let one = running(&[("a-1", "v1")], &["v1", "v2"], &[]);
    assert_eq!(taken(&one, &["a-1"], &terms(1, 0, None)), ["a-1 from v1 while  serve"]);
}

#[test]
fn an_instance_goes_back_to_the_same_image_whatever_becomes_of_its_tag() {
    let now = running(&[("a-1", "v1")], &["v1", "v2"], &[]);
    let was = |now: &Running, to: &Target| {
        batches(now, to, &BTreeSet::new(), &terms(1, 0, None)).map(|all| all[0].was.clone())
    };
    assert_eq!(
        was(&now, &to("v2")).unwrap(),
        plain("v1"),
        "as it was made, so that nothing differs afterwards"
    );
    let mut newer = to("v2");
    newer.image.tag = Some("v1".to_owned());
    assert_eq!(was(&now, &newer).unwrap(), image("v1"), "the tag is about to mean another image");
    // Compose says v2 of it by now, and it was made from what v1 is.
    let mut otherwise = now.clone();
    otherwise.instances[0].image = plain("v2");
    let by_digest = Reference { digest: Some(digest("v1")), ..plain("v2") };
    assert_eq!(was(&otherwise, &to("v2")).unwrap(), by_digest);
    let mut nameless = now.clone();
    nameless.images[0] = Image { id: "id-v1".to_owned(), tags: vec![], digests: vec![] };
    assert!(was(&nameless, &to("v2")).unwrap_err().message.contains("nobody could take `a-1` back"));
}

#[test]
fn what_others_need_goes_first_and_a_circle_stays_as_it_is() {
    let service = |name: &str, needs: &[&str]| Running {
        service: name.to_owned(),
        needs: needs.iter().map(|need| (*need).to_owned()).collect(),
        ..running(&[(&format!("{name}-1"), "v1")], &[], &[])
    };
    let order = |all: Vec<Running>| by_needs(all).into_iter().map(|one| one.service).collect::<Vec<_>>();
    assert_eq!(
        order(vec![service("web", &["api-1"]), service("api", &["db"]), service("job", &[])]),
        ["api", "web", "job"]
    );
    assert_eq!(order(vec![service("a", &["b-1"]), service("b", &["a-1"])]), ["a", "b"]);
}

#[test]
fn a_procedure_has_every_image_first_and_writes_down_what_came_of_it() {
    let text = "name: o\nhosts: { app: { address: local } }\nprojects: { p: { host: app, directory: /p } }\n\
        services:\n  argus: { project: p, error_rate: 'sum(rate(e[1m]))', \
        instances: { a-1: { health: 'http://localhost:1/' }, a-2: { health: 'http://localhost:2/' } } }\n\
        monitoring: { host: app, prometheus: 'http://localhost:9090' }\n";
    let inventory = Inventory::read(&Source::new("opsctl.yaml", text)).unwrap();
    let mut now = running(&[("a-1", "v1"), ("a-2", "v1")], &["v1", "v2"], &[]);
    now.means = Means::Variable { name: "ARGUS".to_owned(), value: "v1".to_owned() };
    let terms = terms(1, 1, None);
    let healthy = ["a-1", "a-2"].map(str::to_owned).into();
    let batches = batches(&now, &to("v2"), &healthy, &terms).unwrap();
    let release = Release { running: now, target: to("v2"), batches };
    let runbook = runbook(Wanted::Deploy("v2"), &[release], &inventory, &terms);
    let steps: Vec<_> =
        runbook.steps.iter().map(|step| (step.id.as_str(), step.action.action.as_str())).collect();
    assert_eq!(
        steps,
        [
            ("image-argus", "image.pull"),
            ("history-argus", "release.record"),
            ("a-1", "runbook"),
            ("watch-argus", "http.get"),
            ("reached-argus", "compose.ps"),
            ("again-argus", "http.get"),
            ("bad-argus", "release.record"),
            ("watched-argus", "assert"),
            ("a-2", "runbook"),
            ("pin-argus", "env.set"),
            ("release-argus", "release.record"),
        ]
    );
    insta::assert_json_snapshot!(runbook.steps[2].action.args);
    insta::assert_snapshot!(runbook.steps[3].for_each.as_deref().unwrap());
}
