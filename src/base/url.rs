//! Words of URLs.

/// A text as one word of a query.
pub fn url_encoded(text: &str) -> String {
    reqwest::Url::parse_with_params("http://localhost", [("q", text)])
        .ok()
        .and_then(|url| Some(url.query()?.strip_prefix("q=")?.to_owned()))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_one_word_of_a_url() {
        assert_eq!(url_encoded("sum(rate(a{b=\"c\"}[5m]))"), "sum%28rate%28a%7Bb%3D%22c%22%7D%5B5m%5D%29%29");
    }
}
