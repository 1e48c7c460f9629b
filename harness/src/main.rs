//! The binary: parses the command line, runs the command, turns the outcome into an exit code.

use clap::Parser;
use reports::text::clean;
use std::process::ExitCode;
use windthrow::cli::commands::meant;
use windthrow::cli::{Cli, Command, MockCommand};
use windthrow::commands;
use windthrow::failure::{Exit, Failure};
use windthrow::process::{guard, lifeline};
use windthrow::storm::child::carry_out;
use windthrow::storm::order::Order;

/// Judging frees lists of many megabytes between small things that stay; this one gives them back where the
/// system's keeps them (a million exchanges: 290 MB resident at the peak instead of 320).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::try_parse().unwrap_or_else(|refusal| refused(&refusal));
    if let Some(Command::Reference { mutant }) = &cli.command {
        lifeline::end_with_the_parent();
        return reference::main_from_env(mutant.as_deref());
    }
    if let Some(Command::Guard) = &cli.command {
        return match guard::stand() {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => Exit::Bug.into(),
        };
    }
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::new(
            std::env::var("WINDTHROW_LOG").unwrap_or_else(|_| quiet_enough(&cli).into()),
        ))
        .with_writer(std::io::stderr)
        .with_ansi(false)
        // It would panic where nobody listens any more: a storm whose run is gone still ends its history.
        .log_internal_errors(false)
        .init();
    raise_open_files();
    match std::panic::catch_unwind(|| dispatch(&cli)) {
        Ok(Ok(exit)) => exit.into(),
        Ok(Err(failure)) => {
            let exit = failure.exit();
            eprintln!("{:?}", miette::Report::new(failure.clean()));
            exit.into()
        }
        Err(_) => {
            eprintln!("this is a bug of windthrow; what was recorded is in the run's folder");
            Exit::Bug.into()
        }
    }
}

/// Says what is wrong with the command line, and ends; what it quotes may be anything.
fn refused(refusal: &clap::Error) -> ! {
    let plain = refusal.to_string();
    let shown = clean(&plain);
    if shown == plain {
        let _ = refusal.print();
    } else {
        eprint!("{shown}");
    }
    let meant = meant(std::env::args_os().map(|arg| arg.to_string_lossy().into_owned()));
    if let Some(command) = meant.filter(|_| refusal.use_stderr()) {
        eprintln!("\ndid you mean the command {command}?");
    }
    std::process::exit(refusal.exit_code());
}

/// The mock alone tells of every fault that it commits; a run has its report for that.
fn quiet_enough(cli: &Cli) -> &'static str {
    match cli.command {
        Some(Command::Mock { .. }) => "warn,windthrow=info,mock_server=info",
        _ => "warn",
    }
}

/// Thousands of visitors need thousands of sockets; the children inherit the limit.
fn raise_open_files() {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    if let Ok((_, hard)) = getrlimit(Resource::RLIMIT_NOFILE) {
        let _ = setrlimit(Resource::RLIMIT_NOFILE, hard, hard);
    }
}

fn dispatch(cli: &Cli) -> Result<Exit, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Failure::setup(error.to_string(), "raise the limits of this machine"))?;
    let exit = match &cli.command {
        None => runtime.block_on(commands::run::run(&cli.run)),
        Some(Command::Run(args)) => runtime.block_on(commands::run::run(args)),
        Some(Command::List(args)) => Ok(commands::list::list(args)),
        Some(Command::Explain { id, contract }) => commands::explain::explain(id, contract),
        Some(Command::Plan(args)) => commands::plan::plan(args),
        Some(Command::Recheck(args)) => commands::report::recheck(args),
        Some(Command::Report(args)) => commands::report::report(args),
        Some(Command::Compare(args)) => commands::compare::compare(args),
        Some(Command::Baseline { command }) => commands::baseline::baseline(command),
        Some(Command::Runs { command }) => commands::runs::runs(command),
        Some(Command::Completions { shell }) => Ok(commands::completions::completions(*shell)),
        Some(Command::Prove(args)) => runtime.block_on(commands::prove::prove(args)),
        Some(Command::Mock { command: MockCommand::Serve(args) }) => {
            runtime.block_on(commands::mock_serve::serve(args))
        }
        Some(Command::Init(args)) => commands::init::init(args),
        Some(Command::Preflight(args)) => runtime.block_on(commands::preflight::preflight(args)),
        Some(Command::Schema { of, contract }) => commands::schema::schema(*of, contract),
        Some(Command::Scenario) => {
            // Locked no longer than for the order: what follows is the life line's.
            let order = Order::receive(&mut std::io::stdin().lock())?;
            runtime.block_on(carry_out(&order)).map(|_| Exit::Held)
        }
        Some(Command::Reference { .. } | Command::Guard) => {
            unreachable!("handled before the runtime")
        }
    };
    // A reader blocked on standard input must not hold up the end.
    runtime.shutdown_timeout(std::time::Duration::from_millis(100));
    exit
}
