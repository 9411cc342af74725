//! Proof that what was healthy was left alone: the same container, started at the same time, before and after.

use super::look::Seen;

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Untouched(Vec<String>);

impl Untouched {
    pub fn between(before: &[Seen], after: &[Seen]) -> Untouched {
        let is_same = |then: &Seen| {
            let Some(old) = &then.container else { return false };
            let now = after.iter().find(|now| now.name == then.name && now.role == then.role);
            let Some(new) = now.and_then(|now| now.container.as_ref()) else { return false };
            old.is_running() && old.id == new.id && old.started_at == new.started_at
        };
        Untouched(before.iter().filter(|then| is_same(then)).map(|then| then.name.clone()).collect())
    }

    pub fn names(self) -> Vec<String> {
        self.0
    }
}
