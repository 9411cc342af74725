//! Who is at the keyboard, as journals and locks call them.

use std::env;
use std::fs;
use std::process::Command;

/// `$OPSCTL_OPERATOR`, else user@machine.
pub fn operator() -> String {
    let set = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
    set("OPSCTL_OPERATOR").unwrap_or_else(|| {
        let user = set("USER").or_else(|| set("LOGNAME")).or_else(named_by_the_system);
        let user = user.unwrap_or_else(|| "somebody".to_owned());
        let machine = fs::read_to_string("/proc/sys/kernel/hostname")
            .ok()
            .map(|name| name.trim().to_owned())
            .or_else(|| set("HOSTNAME"))
            .unwrap_or_else(|| "somewhere".to_owned());
        format!("{user}@{machine}")
    })
}

/// The user that this process runs as. A cron job and a container have neither variable.
pub fn named_by_the_system() -> Option<String> {
    let output = Command::new("id").arg("-un").output().ok()?;
    let name = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (output.status.success() && !name.is_empty()).then_some(name)
}
