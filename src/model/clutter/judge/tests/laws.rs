//! What holds on every host.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::oracle;
use crate::model::clutter::contents::*;
use crate::model::clutter::judge::judge;
use crate::model::clutter::survey::{Fate, Item, Kind, Reason, Survey};
use crate::model::clutter::world::{World, any_world, bytes_of, number};

fn engine(contents: &Contents) -> &Engined {
    contents.engine.as_ref().unwrap()
}

/// What goes of a kind, by its id.
fn going(survey: &Survey, kinds: &[Kind]) -> BTreeSet<String> {
    let going = survey.items.iter().filter(|item| item.goes() && kinds.contains(&item.kind));
    going.filter_map(|item| item.id.clone()).collect()
}

const IMAGES: [Kind; 2] = [Kind::Image, Kind::DanglingImage];

/// The host when all has gone that goes.
fn after(world: &World, survey: &Survey) -> World {
    let mut world = world.clone();
    let contents = &mut world.contents;
    let engine = contents.engine.as_mut().unwrap();
    let images = going(survey, &IMAGES);
    engine.images.retain(|image| !images.contains(&image.id));
    let containers = going(survey, &[Kind::Container]);
    engine.containers.retain(|container| !containers.contains(&container.id));
    for log in engine.containers.iter_mut().filter_map(|container| container.log.as_mut()) {
        log.bytes = log.bytes.min(world.terms.keep_of_log.0);
    }
    let networks = going(survey, &[Kind::Network]);
    engine.networks.retain(|network| !networks.contains(&network.id));
    engine.builds =
        Builds { dangling: 0, bytes: 0, all_bytes: engine.builds.all_bytes - engine.builds.bytes };
    for pile in &mut contents.piles {
        (pile.all_files, pile.all_bytes) = (pile.all_files - pile.files, pile.all_bytes - pile.bytes);
        (pile.files, pile.bytes) = (0, 0);
    }
    if let Some(journal) = &mut contents.journal {
        journal.all_bytes -= journal.old_bytes;
        journal.old_bytes = 0;
    }
    let files: BTreeSet<&str> =
        survey.items.iter().filter(|item| item.goes()).map(|item| item.name.as_str()).collect();
    for vault in &mut contents.vaults {
        vault.listing.backups.retain(|backup| !files.contains(backup.file.as_str()));
    }
    world
}

fn survey(world: &World) -> Survey {
    judge(&world.contents, &world.terms)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn nothing_that_is_needed_goes_and_of_docker_nothing_stays_that_is_not(world in any_world()) {
        let survey = survey(&world);
        let engine = engine(&world.contents);
        // Which releases are needed is a law of its own, and a run needs what its plan names in any way.
        let is_apart = |item: &&Item| matches!(item.fate, Fate::Stays(Reason::Release(_) | Reason::Run(_)));
        let apart = survey.items.iter().filter(is_apart);
        let apart: BTreeSet<_> = apart.filter_map(|item| item.id.clone()).collect();
        let images = going(&survey, &IMAGES);
        for image in &engine.images {
            let needed = oracle::image_needed(&world, &image.id);
            prop_assert!(needed.is_none() || !images.contains(&image.id), "{}: {needed:?}", image.id);
            let is_kept = needed.is_some() || apart.contains(&image.id);
            prop_assert!(is_kept || images.contains(&image.id), "{}", image.id);
        }
        let containers = going(&survey, &[Kind::Container]);
        for container in &engine.containers {
            let needed = oracle::container_needed(&world, container);
            prop_assert_eq!(needed, !containers.contains(&container.id), "{}", &container.name);
        }
        let networks = going(&survey, &[Kind::Network]);
        for network in &engine.networks {
            let needed = oracle::network_needed(&world, network);
            prop_assert!(!needed || !networks.contains(&network.id), "{}", &network.name);
        }
        for vault in &world.contents.vaults {
            let needed = oracle::backups_needed(&world, vault);
            for number in needed {
                let backup = &vault.listing.backups[number];
                let goes = survey.items.iter().any(|item| item.goes() && item.name == backup.file);
                prop_assert!(!goes, "{number} of {:?}", vault.listing.backups);
            }
        }
        prop_assert!(survey.items.iter().all(|item| item.kind != Kind::Volume || !item.goes()));
    }

    #[test]
    fn every_service_can_go_back_as_far_as_before(world in any_world()) {
        let survey = survey(&world);
        let left = after(&world, &survey);
        let count = world.terms.keep_releases as usize;
        for service in &world.contents.services {
            let (releases, all) = oracle::ways_back(engine(&world.contents), service);
            let (kept, all_kept) = oracle::ways_back(engine(&left.contents), service);
            let last = &releases[..releases.len().min(count)];
            prop_assert!(last.iter().all(|id| kept.contains(id)), "{last:?} {kept:?}");
            prop_assert!(all_kept.len() >= all.len().min(count), "{all:?} {all_kept:?}");
        }
    }

    #[test]
    fn what_goes_frees_at_least_what_it_says(world in any_world()) {
        let survey = survey(&world);
        let on_disk = |world: &World| {
            let images = &engine(&world.contents).images;
            let layers: BTreeSet<u64> =
                images.iter().flat_map(|image| world.layers[number(&image.id)].iter().copied()).collect();
            bytes_of(&layers)
        };
        let said: u64 = survey.items.iter().filter(|item| item.goes() && IMAGES.contains(&item.kind)).map(|item| item.bytes).sum();
        let left = after(&world, &survey);
        prop_assert!(on_disk(&world) - on_disk(&left) >= said);
        let counted = |item: &&Item| item.goes() && matches!(item.kind, Kind::Container | Kind::ContainerLog);
        let said: u64 = survey.items.iter().filter(counted).map(|item| item.bytes).sum();
        let written = |world: &World| -> u64 {
            let all = engine(&world.contents).containers.iter();
            all.map(|one| one.bytes + one.log.as_ref().map_or(0, |log| log.bytes)).sum()
        };
        prop_assert_eq!(written(&world) - written(&left), said);
    }

    #[test]
    fn a_container_that_runs_keeps_its_image(world in any_world()) {
        let left = after(&world, &survey(&world));
        let there = |world: &World, id: &str| engine(&world.contents).images.iter().any(|image| image.id == id);
        for container in engine(&world.contents).containers.iter().filter(|container| container.is_running) {
            let is_there = engine(&left.contents).containers.iter().any(|other| other.id == container.id);
            prop_assert!(is_there, "{container:?}");
            prop_assert_eq!(there(&world, &container.image), there(&left, &container.image));
        }
    }

    #[test]
    fn what_is_least_regretted_comes_first_and_of_that_the_largest(world in any_world()) {
        let items = survey(&world).items;
        prop_assert!(items.is_sorted_by_key(|item| (item.kind, std::cmp::Reverse(item.bytes))));
    }

    #[test]
    fn a_second_cleanup_finds_only_the_images_of_containers_that_the_first_removed(world in any_world()) {
        let first = survey(&world);
        let left = after(&world, &first);
        let second = survey(&left);
        let removed = going(&first, &[Kind::Container]);
        for item in second.items.iter().filter(|item| item.goes()) {
            let mut users = engine(&world.contents).containers.iter().filter(|container| Some(&container.image) == item.id.as_ref());
            prop_assert!(IMAGES.contains(&item.kind), "{item:?}");
            prop_assert!(users.clone().count() > 0 && users.all(|user| removed.contains(&user.id)), "{item:?}");
        }
        let end = after(&left, &second);
        prop_assert!(survey(&end).items.iter().all(|item| !item.goes()));
    }
}
