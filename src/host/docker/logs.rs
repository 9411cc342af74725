//! The last lines that containers wrote.

use bollard::Docker;
use bollard::query_parameters::LogsOptionsBuilder;
use futures_util::StreamExt;
use futures_util::future::try_join_all;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Refusal, containers};
use crate::base::amount::Span;
use crate::model::operation::Selection;

/// `stdout`, `lines`: the last `tail` lines of each container, in the order they were written. With more than one container
/// each line begins with the name of its service.
pub(super) async fn query(
    api: &Docker,
    of: &Selection,
    tail: u32,
    since: Option<Span>,
) -> Result<Value, Refusal> {
    let found = containers::find_some(api, of).await?;
    let since = match since {
        Some(span) => start(api, span).await?,
        None => 0,
    };
    let is_many = found.len() > 1;
    let texts = try_join_all(found.iter().map(async |container| {
        let options = LogsOptionsBuilder::new().stdout(true).stderr(true).timestamps(true).since(since);
        let options = options.tail(&tail.to_string()).build();
        let mut pieces = std::pin::pin!(api.logs(container.id.as_deref().unwrap_or_default(), Some(options)));
        let mut text = Vec::new();
        while let Some(piece) = pieces.next().await {
            text.extend_from_slice(&piece?.into_bytes());
        }
        let name = is_many.then(|| containers::service(container).to_owned());
        Ok::<_, Refusal>((name, String::from_utf8_lossy(&text).into_owned()))
    }));
    let lines = in_order(&texts.await?);
    let stdout: String = lines.iter().map(|line| format!("{line}\n")).collect();
    Ok(json!({ "stdout": stdout, "lines": lines.len() }))
}

/// By the host's clock, which need not be ours.
async fn start(api: &Docker, span: Span) -> Result<i32, Refusal> {
    let now = api.info().await?.system_time.and_then(|time| time.parse().ok()).unwrap_or_else(Timestamp::now);
    Ok(i32::try_from(now.as_second() - span.0.as_secs() as i64).unwrap_or_default().max(0))
}

/// Merges texts whose lines begin with a time, and takes the times off.
fn in_order(texts: &[(Option<String>, String)]) -> Vec<String> {
    let mut lines: Vec<(Option<Timestamp>, String)> = Vec::new();
    for (name, text) in texts {
        let mut last = None;
        for line in text.lines() {
            let timed = line.split_once(' ').and_then(|(time, rest)| Some((time.parse().ok()?, rest)));
            // A line without a time continues the one before.
            let (time, rest) = timed.map_or((last, line), |(time, rest)| (Some(time), rest));
            last = time;
            let rest = rest.trim_end_matches('\r');
            lines.push((time, name.as_ref().map_or(rest.to_owned(), |name| format!("{name}: {rest}"))));
        }
    }
    lines.sort_by_key(|(time, _)| *time);
    lines.into_iter().map(|(_, line)| line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_several_containers_come_in_the_order_they_were_written() {
        let one = "2024-05-01T10:00:00.1Z a\n2024-05-01T10:00:00.3Z c\r\n".to_owned();
        let other = "2024-05-01T10:00:00.2Z b\ncontinued\n".to_owned();
        let texts = [(Some("x".to_owned()), one), (Some("y".to_owned()), other)];
        assert_eq!(in_order(&texts), ["x: a", "y: b", "y: continued", "x: c"]);
    }
}
