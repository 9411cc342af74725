//! Proof that what was healthy was left alone: the same container, started at the same time, before and after.

use super::look::Seen;

/// The labels of those that run in the same container, since the same moment, as before.
pub fn untouched(before: &[Seen], after: &[Seen]) -> Vec<String> {
    let is_same = |then: &&Seen| {
        let now = after.iter().find(|now| now.name == then.name && now.role == then.role);
        match (&then.container, now.and_then(|now| now.container.as_ref())) {
            (Some(old), Some(new)) => {
                old.is_running() && old.id == new.id && old.started_at == new.started_at
            }
            _ => false,
        }
    };
    before.iter().filter(is_same).map(Seen::label).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::triage::container::Container;
    use crate::triage::look::{Health, Role};

    fn seen(id: &str, state: &str, started_at: &str) -> Seen {
        Seen {
            name: "argus-1".into(),
            role: Role::Instance { service: "argus".into() },
            host: "app".into(),
            health: Health::Healthy { ms: None },
            damage: None,
            container: Some(Container {
                id: id.into(),
                name: "docker-argus-1-1".into(),
                service: "argus-1".into(),
                state: state.into(),
                health: None,
                restarts: None,
                exit_code: None,
                oom_killed: false,
                started_at: Some(started_at.parse().unwrap()),
                finished_at: None,
                network: None,
                networks: Vec::new(),
            }),
        }
    }

    #[test]
    fn a_restarted_a_recreated_and_a_formerly_stopped_container_are_touched() {
        let (then, later) = ("2026-03-01T03:14:00Z", "2026-03-01T03:15:00Z");
        let before = [seen("a", "running", then)];
        assert_eq!(untouched(&before, &[seen("a", "running", then)]), ["argus-1"]);
        assert!(untouched(&before, &[seen("a", "running", later)]).is_empty());
        assert!(untouched(&before, &[seen("b", "running", then)]).is_empty());
        assert!(untouched(&before, &[]).is_empty());
        assert!(untouched(&[seen("a", "exited", then)], &[seen("a", "running", then)]).is_empty());
    }
}
