//! The receiver in figures, as Prometheus reads them.

use std::sync::atomic::Ordering;

use super::http::Counts;

/// The text format of Prometheus.
pub const FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

pub fn text(counts: &Counts) -> String {
    let Counts { taken, refused, waiting, open, runs, unsent, worked_at, is_failing } = counts;
    let figures = [
        ("messages_taken_total", "counter", "Messages of Alertmanager that were taken.", taken),
        ("messages_refused_total", "counter", "Messages that were refused.", refused),
        ("messages_waiting", "gauge", "Messages that were taken and are not worked on yet.", waiting),
        ("incidents_open", "gauge", "Incidents that are not resolved.", open),
        ("runs_begun_total", "counter", "Runs that were begun without asking anybody.", runs),
        ("deliveries_short", "gauge", "Messages that a channel did not take at the newest try.", unsent),
        ("worked_at_seconds", "gauge", "When all incidents were looked after last, since 1970.", worked_at),
    ];
    let figures =
        figures.map(|(name, kind, about, value)| figure(name, kind, about, value.load(Ordering::Relaxed)));
    let is_failing = u64::from(is_failing.load(Ordering::Relaxed));
    let failing = figure("failing", "gauge", "Whether the newest look after them failed.", is_failing);
    figures.concat() + &failing
}

fn figure(name: &str, kind: &str, about: &str, value: u64) -> String {
    format!("# HELP opsctl_{name} {about}\n# TYPE opsctl_{name} {kind}\nopsctl_{name} {value}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_figure_has_its_meaning_its_kind_and_its_value() {
        let counts = Counts::default();
        counts.taken.store(7, Ordering::Relaxed);
        let text = text(&counts);
        assert!(text.contains(
            "# HELP opsctl_messages_taken_total Messages of Alertmanager that were taken.\n\
             # TYPE opsctl_messages_taken_total counter\nopsctl_messages_taken_total 7\n"
        ));
        assert_eq!(text.lines().filter(|line| !line.starts_with('#')).count(), 8);
    }
}
