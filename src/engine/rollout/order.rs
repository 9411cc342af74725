//! In which order services are released: what others need comes first.

use super::Running;

/// Sorts services so that each comes after those that it needs. Those that need each other stay in the order that they came in.
pub fn by_needs(mut services: Vec<Running>) -> Vec<Running> {
    let mut sorted: Vec<Running> = Vec::new();
    while !services.is_empty() {
        let is_free = |one: &Running| {
            services.iter().all(|other| {
                other.service == one.service
                    || other.project != one.project
                    || !other.instances.iter().any(|instance| one.needs.contains(&instance.name))
            })
        };
        let next = services.iter().position(is_free).unwrap_or(0);
        sorted.push(services.remove(next));
    }
    sorted
}
