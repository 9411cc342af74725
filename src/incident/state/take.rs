//! What each event changes.

use super::{
    Delivery, Held, IncidentState, Linked, Message, Milestones, Resolution, Task, TaskState, Triage,
};
use crate::base::clock::Timestamp;
use crate::incident::envelope::Page;
use crate::incident::event::{Event, Outcome, Record, Status};
use crate::model::channel::MessageKind;

impl IncidentState {
    /// Takes in a record that can follow: see [`check`](IncidentState::check).
    pub(in crate::incident) fn take(&mut self, record: &Record) {
        let at = record.at;
        // A run that moves is somebody's work, whoever wrote that down.
        let is_heard = matches!(record.event, Event::Ran { .. })
            || (record.by != Record::ITSELF && is_word(&record.event));
        if is_heard && let Some(held) = &mut self.held {
            held.heard_at = at;
        }
        match record.event.clone() {
            Event::Opened(_) | Event::Noted { .. } => {}
            Event::Alerted { group, alerts } => drop(self.alerts.insert(group, alerts)),
            Event::Triaged { findings, level, runbook } => {
                self.triage = Some(Triage { at, findings, level, runbook });
            }
            Event::Linked { run, runbook, title } => {
                self.runs.insert(run, Linked { runbook, title, told_to: 0, is_ended: false });
            }
            Event::Ran { run, record, is_end, .. } => {
                if let Some(linked) = self.runs.get_mut(&run) {
                    linked.told_to = record;
                    linked.is_ended |= is_end;
                }
            }
            Event::StatusChanged { status, text } => {
                self.status = status;
                self.say(text);
                if status == Status::Investigating {
                    self.milestones.mitigated_at = None;
                }
            }
            Event::SeverityChanged { severity, text } => {
                self.severity = severity;
                self.say(text);
            }
            Event::Acknowledged { who } => {
                self.milestones.acknowledged_at.get_or_insert(at);
                self.hold(who, at);
            }
            Event::HandedOff { to, .. } => self.hold(to, at),
            Event::Unacknowledged { .. } => self.release(at),
            Event::Escalated { level, .. } => {
                (self.level, self.level_at, self.called) = (level, at, 0);
            }
            Event::Paged { level, round, who, message } => {
                self.pages.entry(level).or_default().push(at);
                self.called += u32::from(level == self.level);
                if let Some(message) = self.messages.get_mut(message as usize - 1) {
                    message.page = Some(Page { level, round, who });
                }
            }
            Event::Told { kind, subject, text, next_update_at, channels, .. } => {
                if matches!(kind, MessageKind::Alert | MessageKind::Update) && !self.is_resolved() {
                    self.next_update_at = next_update_at.or(self.next_update_at);
                }
                let deliveries = channels.into_iter().map(|channel| (channel, Delivery::Waiting)).collect();
                self.messages.push(Message { kind, subject, text, at, page: None, deliveries });
            }
            Event::Sending { message, channel } => {
                if let Some(delivery) = self.delivery(message, &channel) {
                    // One that was begun and has no end is in doubt.
                    let is_doubtful = delivery.is_doubtful() || matches!(delivery, Delivery::Sending { .. });
                    *delivery = Delivery::Sending { tries: delivery.tries() + 1, is_doubtful };
                }
            }
            Event::Delivered { message, channel, outcome } => {
                if let Outcome::Sent { memory } = &outcome {
                    self.memories.entry(channel.clone()).or_default().extend(memory.clone());
                }
                if let Some(delivery) = self.delivery(message, &channel) {
                    *delivery = delivery.ended(outcome, at);
                }
            }
            Event::Mitigated { text } => {
                self.milestones.mitigated_at.get_or_insert(at);
                self.status = Status::Monitoring;
                self.say(text);
            }
            Event::Resolved { cause, resolution, follow_up, forced } => {
                self.milestones.mitigated_at.get_or_insert(at);
                self.milestones.resolved_at = Some(at);
                self.status = Status::Resolved;
                self.next_update_at = None;
                self.resolution = Some(Resolution { cause, resolution, follow_up, forced });
            }
            Event::TaskSet { task, text, owner, due } => {
                let set = Task { text, owner, due, state: TaskState::Open };
                match self.tasks.get_mut(task as usize - 1) {
                    Some(task) => *task = set,
                    None => self.tasks.push(set),
                }
            }
            Event::TaskDone { task, text } => self.settle(task, TaskState::Done { text }),
            Event::TaskWaived { task, why } => self.settle(task, TaskState::Waived { why }),
            Event::Closed => {
                self.is_closed = true;
                self.milestones.closed_at = Some(at);
            }
            Event::Reopened { why } => {
                self.is_closed = false;
                self.status = Status::Investigating;
                self.milestones = Milestones::default();
                self.resolution = None;
                self.say(why);
                self.release(at);
            }
        }
        self.records += 1;
        self.changed_at = at;
    }

    fn say(&mut self, text: String) {
        if !text.is_empty() {
            self.text = Some(text);
        }
    }

    fn hold(&mut self, who: String, at: Timestamp) {
        self.held = Some(Held { who, since: at, heard_at: at });
    }

    fn release(&mut self, at: Timestamp) {
        self.held = None;
        self.released_at = Some(at);
        self.called = 0;
    }

    fn settle(&mut self, task: u32, state: TaskState) {
        if let Some(task) = self.tasks.get_mut(task as usize - 1) {
            task.state = state;
        }
    }

    fn delivery(&mut self, message: u32, channel: &str) -> Option<&mut Delivery> {
        self.messages.get_mut(message as usize - 1)?.deliveries.get_mut(channel)
    }
}

impl Delivery {
    /// How often it was begun.
    pub fn tries(&self) -> u32 {
        match self {
            Delivery::Waiting | Delivery::Sent | Delivery::Refused { .. } => 0,
            Delivery::Sending { tries, .. }
            | Delivery::Later { tries, .. }
            | Delivery::Unknown { tries, .. } => *tries,
        }
    }

    fn ended(&self, outcome: Outcome, at: Timestamp) -> Delivery {
        let tries = self.tries();
        match outcome {
            Outcome::Sent { .. } => Delivery::Sent,
            Outcome::Refused { why } => Delivery::Refused { why },
            Outcome::Later { why, retry_at } => {
                Delivery::Later { why, retry_at, tries, is_doubtful: self.is_doubtful() }
            }
            Outcome::Unknown { why } => Delivery::Unknown { why, at, tries },
        }
    }
}

/// Whether a person who writes it says something, where the rest follows by itself from what was said.
fn is_word(event: &Event) -> bool {
    !matches!(
        event,
        Event::Alerted { .. } | Event::Paged { .. } | Event::Sending { .. } | Event::Delivered { .. }
    )
}
