//! What a certificate that is served says of itself.

use serde_json::Value;

use super::reading::Reading;
use crate::base::amount::Span;
use crate::model::inventory::Certificate;
use crate::model::operation::{Handshake, Operation};

pub fn question(certificate: &Certificate) -> Operation {
    let Certificate { address, port, server_name, via, .. } = certificate;
    let name = server_name.as_ref().unwrap_or(address).clone();
    Operation::Handshake(Handshake {
        address: address.clone(),
        port: *port,
        name,
        deadline: Span::secs(5),
        via: *via,
    })
}

/// # Errors
/// In words, when none is served.
pub fn readings(answer: &Value, certificate: &Certificate) -> Result<Vec<Reading>, String> {
    let Some(days) = answer["days_left"].as_f64() else {
        return Err(answer["error"].as_str().unwrap_or("it says nothing").to_owned());
    };
    let mut readings = vec![Reading::Certificate { days, is_due: days < certificate.renew_days }];
    let days_to_start = answer["days_to_start"].as_f64().unwrap_or_default();
    if days_to_start > 0.0 {
        readings.push(Reading::NotYetValid { days: days_to_start });
    }
    if answer["covers"] != true {
        let names = answer["names"].as_array().into_iter().flatten().filter_map(Value::as_str);
        readings.push(Reading::OtherNames { names: names.map(str::to_owned).collect() });
    }
    Ok(readings)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::operation::Via;

    fn certificate(yaml: &str) -> Certificate {
        serde_yaml::from_str(&format!("{{ project: opareta, service: nginx, {yaml} }}")).unwrap()
    }

    #[test]
    fn it_is_asked_for_by_its_name_where_it_is_served() {
        let asked = |yaml| match question(&certificate(yaml)) {
            Operation::Handshake(handshake) => handshake,
            other => panic!("{other}"),
        };
        let plain = asked("");
        assert_eq!(
            (plain.address.as_str(), plain.port, plain.name.as_str()),
            ("localhost", 443, "localhost")
        );
        let given = asked("address: 10.0.0.1, port: 8443, server_name: opareta.test, via: here");
        assert_eq!((given.address.as_str(), given.port, given.via), ("10.0.0.1", 8443, Via::Here));
        assert_eq!(given.name, "opareta.test");
    }

    #[test]
    fn it_is_due_when_the_inventory_says_so() {
        let read = |days: f64, yaml| {
            readings(&json!({ "days_left": days, "covers": true, "error": null }), &certificate(yaml))
                .unwrap()
        };
        assert_eq!(read(30.0, ""), [Reading::Certificate { days: 30.0, is_due: false }]);
        assert_eq!(read(29.9, ""), [Reading::Certificate { days: 29.9, is_due: true }]);
        assert_eq!(read(29.9, "renew_days: 20"), [Reading::Certificate { days: 29.9, is_due: false }]);
    }

    #[test]
    fn one_for_other_names_one_for_later_and_none_at_all_are_told() {
        let other =
            json!({ "days_left": 80.0, "covers": false, "names": ["a.test", "b.test"], "error": null });
        let read = readings(&other, &certificate("")).unwrap();
        assert_eq!(read[1], Reading::OtherNames { names: vec!["a.test".to_owned(), "b.test".to_owned()] });
        let early = json!({ "days_left": 80.0, "days_to_start": 0.5, "covers": true, "error": null });
        assert_eq!(readings(&early, &certificate("")).unwrap()[1], Reading::NotYetValid { days: 0.5 });
        let none = json!({ "days_left": null, "covers": false, "error": "connection refused" });
        assert_eq!(readings(&none, &certificate("")), Err("connection refused".to_owned()));
    }
}
