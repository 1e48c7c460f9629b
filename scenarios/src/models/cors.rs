//! Simulated middlewares that let in pages of another origin, as libraries offer them.

use super::{Tally, judged};
use crate::front_door::{ALLOWED_ORIGIN, FrontRoute};
use crate::history::{Asked, Cross, Did, Operation, Origin};
use crate::testing::{History, page};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// Whom a middleware lets in.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Lets {
    /// Whoever is in a list, to the letter.
    Listed,
    /// The same, whatever the case.
    ListedInAnyCase,
    /// It says the one allowed origin to everybody.
    Constant,
    /// Everybody.
    Anybody,
    /// By a header that says so.
    Star,
    Begins,
    Ends,
    /// A pattern in which a dot is any letter.
    Pattern,
    /// A list with `null` in it.
    ListedOrNull,
    /// Whatever the port is.
    AnyPort,
    /// By host, whatever the scheme.
    ByHost,
}

#[derive(Clone, Copy, Debug)]
struct Middleware {
    lets: Lets,
    /// Whether it is around errors and reads of routes that cannot be read.
    around_errors: bool,
    /// Whether it says `Vary` on all answers, or on those that let somebody in.
    always_varies: bool,
    /// Whom it lets in on errors.
    on_errors: Lets,
}

impl Lets {
    fn header(self, origin: &str) -> Option<String> {
        let allowed = ALLOWED_ORIGIN;
        let host = "app.example.org";
        let lets = match self {
            Self::Constant => return Some(allowed.to_owned()),
            Self::Star => return Some("*".to_owned()),
            Self::Listed => origin == allowed,
            Self::ListedInAnyCase => origin.eq_ignore_ascii_case(allowed),
            Self::Anybody => true,
            Self::Begins => origin.starts_with(allowed),
            Self::Ends => origin.ends_with("app.example.org"),
            Self::Pattern => {
                let mut letters = origin.chars().zip(allowed.chars());
                origin.len() == allowed.len() && letters.all(|(one, of)| one == of || of == '.')
            }
            Self::ListedOrNull => origin == allowed || origin == "null",
            Self::AnyPort => origin.split(':').take(2).eq(allowed.split(':').take(2)),
            Self::ByHost => origin.split("://").nth(1) == Some(host),
        };
        lets.then(|| origin.to_owned())
    }
}

fn simulated(random: &mut ChaCha8Rng, middleware: Middleware) -> History {
    let all = [Asked::Preflight, Asked::Request, Asked::Refused, Asked::Get];
    let credentials = random.random_range(0..2) == 0;
    let methods = ["POST", "GET,HEAD,POST", "GET, POST, PUT, DELETE"];
    let methods = methods[random.random_range(0..methods.len())];
    let mut history = History::over(&[]);
    for (nth, (asked, from)) in
        (0..).zip(all.into_iter().flat_map(|asked| Origin::ALL.map(|from| (asked, from))))
    {
        let origin = from.of(ALLOWED_ORIGIN);
        let error = matches!(asked, Asked::Refused | Asked::Get);
        let lets = if error { middleware.on_errors } else { middleware.lets };
        let around = middleware.around_errors || !error;
        let acao = lets.header(&origin).filter(|_| around);
        let varies =
            lets != Lets::Constant && around && (middleware.always_varies || acao.is_some());
        // Now and then a limiter or an overload answers instead, behind the middleware.
        let status = match asked {
            Asked::Preflight => 204,
            Asked::Request if random.random_range(0..10) == 0 => 429,
            Asked::Request => 202,
            Asked::Refused => 400,
            Asked::Get => 405,
        };
        let cross = Cross {
            route: FrontRoute::Clicks,
            asked,
            from,
            origin: origin.into(),
            credentials: credentials && acao.is_some(),
            methods: (asked == Asked::Preflight && acao.is_some()).then(|| methods.into()),
            acao: acao.map(Into::into),
            vary: varies.then(|| "Origin".into()),
            event_id: None,
        };
        let at = nth * 50;
        history = history.operation(Operation {
            status: Some(status),
            did: Did::Cross(cross),
            ..page("ann", at, at + 5, "-")
        });
    }
    history
}

fn outcome(middleware: impl Fn(&mut ChaCha8Rng) -> Middleware) -> Tally {
    judged("cors-allowlist", |random| {
        let middleware = middleware(random);
        simulated(random, middleware)
    })
}

const SOUND: Middleware = Middleware {
    lets: Lets::Listed,
    around_errors: true,
    always_varies: true,
    on_errors: Lets::Listed,
};

#[test]
fn lists_of_whole_origins_are_never_blamed() {
    let any = |random: &mut ChaCha8Rng| {
        let lawful = [Lets::Listed, Lets::ListedInAnyCase, Lets::Constant];
        let lets = lawful[random.random_range(0..lawful.len())];
        Middleware { lets, on_errors: lets, around_errors: random.random_range(0..2) == 0, ..SOUND }
    };
    outcome(any).is_never_blamed("any lawful middleware", 100);
}

#[test]
fn whoever_lets_in_one_more_is_caught() {
    for lets in [
        Lets::Anybody,
        Lets::Star,
        Lets::Begins,
        Lets::Ends,
        Lets::Pattern,
        Lets::ListedOrNull,
        Lets::AnyPort,
        Lets::ByHost,
    ] {
        let all = Middleware { lets, on_errors: lets, ..SOUND };
        outcome(|_| all).is_caught(&format!("{lets:?}"), 100);
        let on_errors = Middleware { on_errors: lets, ..SOUND };
        outcome(|_| on_errors).is_caught(&format!("{lets:?} on errors"), 100);
    }
    let sometimes = Middleware { always_varies: false, ..SOUND };
    outcome(|_| sometimes).is_caught("Vary on the allowed answer only", 100);
}
