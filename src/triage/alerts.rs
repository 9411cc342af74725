//! What Prometheus says: the alerts that fire, those that somebody silenced, and how many requests fail.

use futures_util::future::join_all;
use serde::Deserialize;
use serde_json::Value;

use super::alert::{Alert, Labels};
use super::eyes::Eyes;
use super::measure::Measured;
use super::reading::Reading;
use super::subject::Subject;
use crate::base::amount::Span;
use crate::base::percent::Percent;
use crate::base::url::url_encoded;
use crate::model::operation::{HttpRequest, Operation, Via};

const DEADLINE: Span = Span::secs(5);

/// The alerts that fire, and the share of failing requests of each service that has a query for it.
pub(super) async fn ask(eyes: &Eyes<'_>) -> Vec<Measured> {
    let Some((host, prometheus)) = eyes.site.inventory.prometheus() else { return Vec::new() };
    if eyes.unreachable.contains_key(host) {
        return Vec::new();
    }
    let readings = firing(eyes).await;
    let readings = readings.map(|alerts| alerts.into_iter().map(Reading::Alert).collect());
    let mut measured = vec![Measured { subject: Subject::Monitoring("prometheus".to_owned()), readings }];
    let rates = eyes.site.inventory.services.iter().filter_map(|(name, service)| {
        let query = service.error_rate.as_ref()?;
        Some(async move {
            let query: String = url_encoded(query);
            let answer = get(eyes, host, format!("{prometheus}/api/v1/query?query={query}")).await;
            Measured {
                subject: Subject::Service(name.clone()),
                readings: answer.map(|answer| of_rate(&answer)),
            }
        })
    });
    measured.extend(join_all(rates).await);
    measured
}

/// The alerts that fire.
///
/// # Errors
/// In words, when Prometheus does not say, or the inventory names none.
pub(super) async fn firing(eyes: &Eyes<'_>) -> Result<Vec<Alert>, String> {
    let (host, prometheus) = eyes.site.inventory.prometheus().ok_or("the inventory names no Prometheus")?;
    let silenced = silences(eyes, host);
    let firing = get(eyes, host, format!("{prometheus}/api/v1/alerts"));
    let (silenced, firing) = futures_util::future::join(silenced, firing).await;
    Alert::firing(&firing?["data"]["alerts"], &silenced)
}

/// The labels of the alerts that are silenced. An Alertmanager that does not answer silences nothing.
async fn silences(eyes: &Eyes<'_>, host: &str) -> Vec<Labels> {
    let monitoring = eyes.site.inventory.monitoring.as_ref();
    let Some(alertmanager) = monitoring.and_then(|monitoring| monitoring.alertmanager.as_ref()) else {
        return Vec::new();
    };
    let url =
        format!("{alertmanager}/api/v2/alerts?active=false&inhibited=false&unprocessed=false&silenced=true");
    let Ok(answer) = get(eyes, host, url).await else { return Vec::new() };
    let alerts = answer.as_array().into_iter().flatten();
    alerts.filter_map(|alert| Labels::deserialize(&alert["labels"]).ok()).collect()
}

/// The greatest value of the result, which is a scalar or a vector. Where nothing was counted there is no rate.
fn of_rate(answer: &Value) -> Vec<Reading> {
    let result = &answer["data"]["result"];
    let number = |value: &Value| value.as_str()?.parse::<f64>().ok().filter(|rate| rate.is_finite());
    let greatest = match answer["data"]["resultType"].as_str() {
        Some("scalar") => number(&result[1]),
        _ => {
            let each =
                result.as_array().into_iter().flatten().filter_map(|series| number(&series["value"][1]));
            each.max_by(f64::total_cmp)
        }
    };
    greatest
        .map(|rate| Reading::ErrorRate { failing: Percent((rate * 100.0).clamp(0.0, 100.0)) })
        .into_iter()
        .collect()
}

async fn get(eyes: &Eyes<'_>, host: &str, url: String) -> Result<Value, String> {
    let request = Operation::Http(HttpRequest::get(url, DEADLINE, Via::Host));
    let answer = eyes.ask(host, &request).await.map_err(|failure| failure.message)?;
    match answer["status"].as_u64() {
        Some(200) => Ok(answer["json"].clone()),
        Some(0) | None => Err(answer["error"].as_str().unwrap_or("no answer").to_owned()),
        Some(status) => {
            Err(format!("HTTP {status}: {}", answer["json"]["error"].as_str().unwrap_or("no reason given")))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_error_rate_is_the_worst_of_what_the_query_gives() {
        let vector = json!({ "data": { "resultType": "vector", "result": [
            { "value": [1, "0.004"] }, { "value": [1, "0.07"] }, { "value": [1, "NaN"] } ] } });
        assert_eq!(of_rate(&vector)[0].to_string(), "7% of its requests fail");
        assert_eq!(
            of_rate(&json!({ "data": { "resultType": "scalar", "result": [1, "0.5"] } }))[0].to_string(),
            "50% of its requests fail"
        );
        assert!(of_rate(&json!({ "data": { "resultType": "vector", "result": [] } })).is_empty());
    }
}
