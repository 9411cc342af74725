//! What is unhealthy must be so in two looks: one probe that failed is not an outage.

use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};

use super::look::{Health, Look};

/// The pause between the two looks that an outage is judged by.
const PAUSE: Duration = Duration::from_millis(500);

/// After so long a look is slow.
const SLOW: Duration = Duration::from_secs(1);

/// The second of two looks, or the one of them that found nothing unhealthy. The second does not wait for the end of a first one that
/// is slow: what does not answer at all would be waited for twice.
pub(super) async fn twice<F: Future<Output = Look>>(look: impl Fn() -> F) -> Look {
    let mut first = pin!(look());
    if let Ok(first) = tokio::time::timeout(SLOW, &mut first).await {
        if is_well(&first) {
            return first;
        }
        tokio::time::sleep(PAUSE).await;
        return look().await;
    }
    match select(first, pin!(look())).await {
        Either::Left((first, _)) if is_well(&first) => first,
        Either::Left((_, second)) => second.await,
        Either::Right((second, _)) if is_well(&second) => second,
        Either::Right((second, first)) => {
            let first = first.await;
            if is_well(&first) { first } else { second }
        }
    }
}

fn is_well(look: &Look) -> bool {
    !look.seen.iter().any(|seen| matches!(seen.health, Health::Unhealthy { .. }))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use tokio::time::Instant;

    use super::*;
    use crate::triage::look::{Role, Seen};

    /// Looks that take so many milliseconds each, and whether each finds all well; and how long both together take.
    async fn looked(looks: [(u64, bool); 2]) -> (bool, u128) {
        let number = Cell::new(0);
        let begin = Instant::now();
        let look = || {
            let (ms, is_well) = looks[number.replace(number.get() + 1)];
            async move {
                tokio::time::sleep(Duration::from_millis(ms)).await;
                let health = match is_well {
                    true => Health::Healthy { ms: None },
                    false => Health::Unhealthy { why: "it is down".to_owned() },
                };
                let (name, host) = ("argus".to_owned(), "app".to_owned());
                let seen = Seen { name, role: Role::Database, host, container: None, health, damage: None };
                Look { seen: vec![seen], ..Look::default() }
            }
        };
        let look = twice(look).await;
        (is_well(&look), begin.elapsed().as_millis())
    }

    #[tokio::test(start_paused = true)]
    async fn a_look_that_finds_nothing_is_enough() {
        assert_eq!(looked([(20, true), (20, false)]).await, (true, 20));
        assert_eq!(looked([(2_000, true), (3_000, false)]).await, (true, 2_000));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_unhealthy_is_looked_at_again_after_a_moment() {
        assert_eq!(looked([(20, false), (30, true)]).await, (true, 550));
        assert_eq!(looked([(20, false), (30, false)]).await, (false, 550));
    }

    #[tokio::test(start_paused = true)]
    async fn what_does_not_answer_is_not_waited_for_twice() {
        assert_eq!(looked([(3_000, false), (3_000, false)]).await, (false, 4_000));
        assert_eq!(looked([(3_000, false), (3_000, true)]).await, (true, 4_000));
        assert_eq!(looked([(3_000, false), (20, true)]).await, (true, 1_020), "it answers by now");
        assert_eq!(looked([(3_000, true), (20, false)]).await, (true, 3_000));
        assert_eq!(looked([(3_000, false), (20, false)]).await, (false, 3_000));
    }
}
