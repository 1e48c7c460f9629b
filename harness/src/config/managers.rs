//! Which secrets manager hands the credentials out, and what a target can be told of each.

use super::model::File;
use super::template;
use mock_server::contract::SecretsManager;

/// The manager that a template is about; none for what they have in common.
#[must_use]
pub fn manager_of(name: &str) -> Option<SecretsManager> {
    let (first, _) = name.split_once('.')?;
    SecretsManager::ALL.into_iter().find(|manager| manager.name() == first)
}

/// What is wrong with a known template where this manager is the one that listens, and what to do about it.
pub fn misplaced(name: &str, backend: SecretsManager) -> Option<(String, String)> {
    let of = manager_of(name).filter(|of| *of != backend && template::NAMES.contains(&name))?;
    let what = format!("nobody is there for {{{name}}}: {} does not listen", of.title());
    let instead = template::NAMES.iter().filter(|known| manager_of(known) == Some(backend));
    let instead: Vec<String> = instead.map(|name| format!("{{{name}}}")).collect();
    let help = format!(
        "say backend = \"{}\" in [secrets], or use those of {}: {}",
        of.name(),
        backend.title(),
        instead.join(" ")
    );
    Some((what, help))
}

/// What is wrong with another backend than the vault.
pub fn mistake(file: &File) -> Option<(&'static str, String, &'static str)> {
    let backend = file.secrets.backend;
    let is_reference = file.target.embedded.is_some();
    (is_reference && !backend.is_vault()).then(|| {
        let what =
            format!("the reference reads its key from the vault, not from {}", backend.title());
        ("secrets.backend", what, "leave backend out, or name your own service")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_is_of_the_manager_that_it_names() {
        assert_eq!(manager_of("vault.url"), Some(SecretsManager::Vault));
        assert_eq!(manager_of("aws.region"), Some(SecretsManager::Aws));
        assert_eq!(manager_of("gcp.token"), Some(SecretsManager::Gcp));
        assert_eq!((manager_of("mock.url"), manager_of("port")), (None, None));
        assert!(misplaced("vault.url", SecretsManager::Vault).is_none());
        assert!(misplaced("mock.url", SecretsManager::Gcp).is_none());
        assert!(misplaced("gcp.nothing", SecretsManager::Vault).is_none(), "there is no such");
        let (what, help) = misplaced("aws.url", SecretsManager::Gcp).unwrap();
        assert!(what.contains("AWS Secrets Manager does not listen"), "{what}");
        assert!(help.starts_with("say backend = \"aws\"") && help.contains("{gcp.url}"), "{help}");
    }
}
