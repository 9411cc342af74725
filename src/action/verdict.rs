//! What is a success, for results that several actions share.

use serde_json::Value;

use crate::model::operation::Operation;

/// A command succeeded when its exit code is one of those that it calls a success.
pub(super) fn exit(operation: &Operation, result: &Value) -> Result<(), String> {
    let code = code(result)?;
    let allowed: &[i32] = match operation {
        Operation::Command(command) => &command.success_codes,
        _ => &[],
    };
    let is_success = if allowed.is_empty() {
        code == 0
    } else {
        allowed.iter().any(|allowed| i64::from(*allowed) == code)
    };
    if is_success { Ok(()) } else { Err(with_last_words(format!("exit code {code}"), result)) }
}

pub(super) fn code(result: &Value) -> Result<i64, String> {
    let without = || with_last_words("it ended without an exit code".to_owned(), result);
    result["status"].as_i64().ok_or_else(without)
}

/// Adds the last line that the command wrote.
pub(super) fn with_last_words(message: String, result: &Value) -> String {
    let last = |field: &str| {
        let text = result[field].as_str()?;
        text.lines().map(str::trim).rfind(|line| !line.is_empty()).map(str::to_owned)
    };
    match last("stderr").or_else(|| last("stdout")) {
        Some(line) => format!("{message}: {line}"),
        None => message,
    }
}

/// The containers of a result, at least one.
pub(super) fn containers(result: &Value) -> Result<&[Value], String> {
    match result["containers"].as_array().map(Vec::as_slice) {
        Some([]) | None => Err("there is no such container".to_owned()),
        Some(containers) => Ok(containers),
    }
}
