//! The names of the commands, for whoever has misspelt one: what is no command is taken for a scenario.

use super::Cli;
use crate::failure::nearest;
use clap::CommandFactory;

/// The commands that people call.
fn names() -> Vec<String> {
    let cli = Cli::command();
    let shown = cli.get_subcommands().filter(|command| !command.is_hide_set());
    shown.map(|command| command.get_name().to_owned()).collect()
}

/// The command that a word was meant for, if it is nearly one.
#[must_use]
pub fn nearest_command(word: &str) -> Option<String> {
    let names = names();
    let near = nearest(word, names.iter().map(String::as_str)).filter(|near| *near != word);
    near.map(str::to_owned)
}

/// The same for the first of these arguments that could be a command: flags that belong to one are refused
/// in any other's name.
pub fn meant(args: impl IntoIterator<Item = String>) -> Option<String> {
    let first = args.into_iter().skip(1).find(|word| !word.starts_with('-'))?;
    nearest_command(&first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_command_is_named_and_no_hidden_one() {
        let meant = |line: &str| meant(line.split(' ').map(str::to_owned));
        assert_eq!(meant("windthrow explian click-lag"), Some("explain".into()));
        assert_eq!(meant("windthrow --seed lst --faults"), Some("list".into()));
        for fine in ["windthrow", "windthrow --help", "windthrow list", "windthrow viral-spike"] {
            assert_eq!(meant(fine), None, "{fine}");
        }
        assert_eq!(nearest_command("_scenario"), None);
    }
}
