//! Takes secrets out of what is told about an answer: a server may send back what it was sent.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::base::secret::{Revealed, Secret};
use crate::incident::word;

use super::Trouble;

/// What stands where a secret stood.
const MASK: &str = "***";

/// Shorter parts of a URL are words of its form, such as `services`.
const SHORTEST_PART: usize = 12;

/// What must not be shown.
#[derive(Default)]
pub struct Mask {
    secrets: Vec<Revealed>,
    /// Other forms of them.
    forms: Vec<String>,
}

impl Mask {
    /// Gives what a secret leads to, and remembers not to show it. One that cannot be had now may be had later, by somebody else.
    pub async fn reveal(&mut self, secret: &Secret) -> Result<String, Trouble> {
        let revealed =
            secret.reveal().await.map_err(|why| Trouble::later(format!("it was not sent: {why}")))?;
        let text = revealed.text().to_owned();
        // In a header, in JSON, and in one line, as it would be told.
        self.forms.extend([STANDARD.encode(&text), quoted(&text), word::line(&text)]);
        self.secrets.push(revealed);
        Ok(text)
    }

    /// As [`Mask::reveal`], of a whole URL: what is secret in it is also in its parts.
    pub async fn reveal_url(&mut self, secret: &Secret) -> Result<String, Trouble> {
        let url = self.reveal(secret).await?;
        let parts = url.split(['/', '?', '&', '=']).skip(3).filter(|part| part.len() >= SHORTEST_PART);
        self.forms.extend(parts.map(str::to_owned));
        Ok(url)
    }

    /// Another form in which a secret goes out.
    pub fn also(&mut self, form: String) {
        self.forms.push(form);
    }

    pub fn masked(&self, text: &str) -> String {
        let text = self.secrets.iter().fold(text.to_owned(), |text, secret| secret.masked(&text));
        let forms = self.forms.iter().filter(|form| !form.is_empty());
        forms.fold(text, |text, form| text.replace(form, MASK))
    }
}

/// As it stands within the quotes of a JSON text.
fn quoted(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(text: &str) -> Secret {
        Secret::Command(["printf", "%s", text].map(str::to_owned).to_vec())
    }

    #[tokio::test]
    async fn a_secret_is_masked_whole_and_in_the_parts_of_its_url() {
        let mut mask = Mask::default();
        let url = "https://hooks.example/services/T000/B0000000001/XXXXXXXXXXXXXXXXXXXXXXXX";
        assert_eq!(mask.reveal_url(&printed(url)).await.unwrap(), url);
        mask.reveal(&printed("hunter22")).await.unwrap();
        let told = format!(
            "no team at {url}; token XXXXXXXXXXXXXXXXXXXXXXXX, password hunter22 or aHVudGVyMjI=, services"
        );
        assert_eq!(mask.masked(&told), "no team at ***; token ***, password *** or ***, services");
    }

    #[tokio::test]
    async fn a_secret_is_masked_in_every_form_in_which_it_may_come_back() {
        let mut mask = Mask::default();
        mask.reveal(&printed("a\"b  c")).await.unwrap();
        assert_eq!(mask.masked("a\"b  c, a\\\"b  c, a\"b c"), "***, ***, ***");
    }

    #[tokio::test]
    async fn a_secret_that_cannot_be_had_is_no_reason_to_give_up() {
        let missing = Secret::Env("OPSCTL_NO_SUCH_VARIABLE".to_owned());
        let trouble = Mask::default().reveal(&missing).await.unwrap_err();
        assert!(
            matches!(trouble, Trouble::Later { after: None, ref why } if why.contains("is not set")),
            "{trouble:?}"
        );
    }
}
