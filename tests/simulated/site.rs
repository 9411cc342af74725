//! The simulated hosts without anybody who looks at them.

use crate::ledger::Ledger;
use crate::model::Model;

/// All that outlives the process.
#[derive(Debug, Clone, Default)]
pub struct Site {
    pub model: Model,
    pub ledger: Ledger,
}

impl Site {
    pub fn of(model: &Model) -> Site {
        Site { model: model.clone(), ..Site::default() }
    }
}
