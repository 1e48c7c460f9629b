//! How to know which build is tested: `[target]` says it in one way.

use super::model::TargetSection;

/// What is wrong with the keys: the key, what, and what to do about it.
#[must_use]
pub fn mistake(target: &TargetSection) -> Option<(&'static str, &'static str, &'static str)> {
    let TargetSection { version, version_command, version_route, .. } = target;
    let given =
        [version.is_some(), version_command.is_some(), version_route.is_some()].map(usize::from);
    if given.iter().sum::<usize>() > 1 {
        let help = "keep one of version, version_command and version_route";
        return Some(("target", "the version is said in more than one way", help));
    }
    if version_command.as_ref().is_some_and(|words| words.first().is_none_or(String::is_empty)) {
        let help = "name the program, as in [\"git\", \"describe\", \"--always\", \"--dirty\"]";
        return Some(("target.version_command", "target.version_command is empty", help));
    }
    if version_route.is_some() && target.url.is_none() {
        let help = "what Windthrow starts is asked by a command: version_command";
        let what = "only what runs already can be asked for its version before the run";
        return Some(("target.version_route", what, help));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::model::File;

    #[test]
    fn it_is_said_in_one_way_that_can_work() {
        let wrong = |keys: &str| {
            let file = format!("[target]\n{keys}\n[target.spawn]\ncommand = [\"server\"]\n");
            let file: File = toml::from_str(&file).unwrap();
            mistake(&file.target).map(|one| one.0)
        };
        assert_eq!(wrong("version_command = [\"git\"]"), None);
        assert_eq!(wrong("version = \"1\"\nversion_command = [\"git\"]"), Some("target"));
        assert_eq!(wrong("version_command = []"), Some("target.version_command"));
        assert_eq!(wrong("version_route = \"/version\""), Some("target.version_route"));
    }
}
