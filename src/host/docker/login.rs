//! With which name and password a host's Docker client goes to a registry: what `docker login` left there.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bollard::auth::DockerCredentials;
use serde_json::Value;

use super::super::Host;
use super::super::failure::Failure;
use crate::model::operation::{Command, Program};

/// What the Docker client calls its default registry.
const DEFAULT: &str = "https://index.docker.io/v1/";

const CONFIG: &str = "cat \"${DOCKER_CONFIG:-$HOME/.docker}/config.json\" 2>/dev/null || true";

impl Host {
    /// For the registry of an image; nothing where nobody logged in. It is a secret: it goes to the host's engine and nowhere else.
    ///
    /// # Errors
    /// When the host cannot be asked.
    pub(super) async fn login(&self, image: &str) -> Result<Option<DockerCredentials>, Failure> {
        let registry = registry_of(image);
        let asked = self.run(&Command::new(Program::Shell(CONFIG.to_owned())), None, &mut |_, _| {}).await?;
        let config: Value = serde_json::from_str(&asked.stdout).unwrap_or_default();
        let helper = config["credHelpers"][registry].as_str().or_else(|| config["credsStore"].as_str());
        let login = match helper {
            Some(helper) => {
                let program = Program::Argv(vec![format!("docker-credential-{helper}"), "get".to_owned()]);
                let stdin = Some(registry.to_owned());
                let asked =
                    self.run(&Command { stdin, ..Command::new(program) }, None, &mut |_, _| {}).await?;
                of_helper(&asked.stdout)
            }
            None => of_config(&config["auths"], registry),
        };
        let credentials = |(username, password)| DockerCredentials {
            username: Some(username),
            password: Some(password),
            serveraddress: Some(registry.to_owned()),
            ..DockerCredentials::default()
        };
        Ok(login.map(credentials))
    }
}

/// The registry is the first part of a name, where that looks like a host.
fn registry_of(image: &str) -> &str {
    match image.split_once('/') {
        Some((first, _)) if first.contains(['.', ':']) || first == "localhost" => match first {
            "docker.io" | "index.docker.io" => DEFAULT,
            registry => registry,
        },
        _ => DEFAULT,
    }
}

fn of_helper(answer: &str) -> Option<(String, String)> {
    let answer: Value = serde_json::from_str(answer).ok()?;
    Some((answer["Username"].as_str()?.to_owned(), answer["Secret"].as_str()?.to_owned()))
}

fn of_config(auths: &Value, registry: &str) -> Option<(String, String)> {
    // Older clients wrote a URL.
    let names = [registry.to_owned(), format!("https://{registry}"), format!("https://{registry}/v1/")];
    let auth = names.iter().find_map(|name| auths[name]["auth"].as_str())?;
    let decoded = String::from_utf8(STANDARD.decode(auth).ok()?).ok()?;
    let (name, password) = decoded.split_once(':')?;
    Some((name.to_owned(), password.to_owned()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_registry_is_told_by_the_first_part_of_the_name() {
        assert_eq!(registry_of("registry:5000/shop/argus:v1"), "registry:5000");
        assert_eq!(registry_of("ghcr.io/shop/argus"), "ghcr.io");
        assert_eq!(registry_of("localhost/argus"), "localhost");
        for image in ["argus:v1", "shop/argus", "docker.io/shop/argus"] {
            assert_eq!(registry_of(image), DEFAULT);
        }
    }

    #[test]
    fn a_login_is_read_as_the_client_wrote_it() {
        let auth = STANDARD.encode("ada:se:cret");
        let login = Some(("ada".to_owned(), "se:cret".to_owned()));
        assert_eq!(of_config(&json!({ "ghcr.io": { "auth": auth } }), "ghcr.io"), login);
        assert_eq!(of_config(&json!({ "https://ghcr.io": { "auth": auth } }), "ghcr.io"), login);
        assert_eq!(of_config(&json!({ "ghcr.io": {} }), "ghcr.io"), None);
        assert_eq!(of_helper(r#"{"ServerURL":"ghcr.io","Username":"ada","Secret":"se:cret"}"#), login);
    }
}
