//! Who is at the keyboard, as journals and locks call them.

use std::env;
use std::fs;

/// `$OPSCTL_OPERATOR`, else user@machine.
pub fn operator() -> String {
    let set = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
    set("OPSCTL_OPERATOR").unwrap_or_else(|| {
        let user = set("USER").or_else(|| set("LOGNAME")).unwrap_or_else(|| "somebody".to_owned());
        let machine = fs::read_to_string("/proc/sys/kernel/hostname")
            .ok()
            .map(|name| name.trim().to_owned())
            .or_else(|| set("HOSTNAME"))
            .unwrap_or_else(|| "somewhere".to_owned());
        format!("{user}@{machine}")
    })
}
