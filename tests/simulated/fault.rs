//! Everything that can go wrong with one request.

/// What goes wrong with a request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Fault {
    /// It fails and has no effect.
    Clean,
    /// It has its effect and fails.
    Dirty,
    /// The host cannot be reached, just this once.
    Unreachable,
    /// The host cannot be reached for some minutes.
    Away,
    /// The connection is lost on the way there.
    LostBefore,
    /// The connection is lost while it goes on: a command runs on for a while.
    LostDuring,
    /// The connection is lost after it had its effect.
    LostAfter,
    /// It has its effect, and its time is up.
    Late,
    /// The host goes down in the middle, before its effect.
    Reboot,
    /// The host goes down in the middle, after its effect.
    RebootAfter,
    /// Docker or the shell of the host refuses.
    Refused,
    /// Somebody presses Ctrl-C while it is under way.
    CtrlC,
    /// Somebody presses it twice.
    CtrlCTwice,
    /// Somebody replaces every container while it is under way.
    Replaced,
}

pub const FAULTS: [Fault; 14] = [
    Fault::Clean,
    Fault::Dirty,
    Fault::Unreachable,
    Fault::Away,
    Fault::LostBefore,
    Fault::LostDuring,
    Fault::LostAfter,
    Fault::Late,
    Fault::Reboot,
    Fault::RebootAfter,
    Fault::Refused,
    Fault::CtrlC,
    Fault::CtrlCTwice,
    Fault::Replaced,
];

impl Fault {
    /// Whether it is like another one for anything but a command with a receipt.
    pub fn is_of_commands(self) -> bool {
        matches!(self, Fault::LostDuring | Fault::Reboot | Fault::RebootAfter | Fault::CtrlCTwice)
    }
}
