//! What to do where too little was seen of something: a sentence for each minimum of every guarantee.

/// A sentence, and the minimums that it is said of.
type Advice = (&'static str, &'static [&'static str]);

const ANOTHER_SEED: &str =
    "Chance decides how much of it a run sees: run it again with another --seed.";

/// Every minimum stands in it once.
pub const TABLE: &[Advice] = &[
    (
        "Too many visitors were turned away for anybody to tell whose pages could have been fetched. Spend the \
         cap on whole fills, links as well as profiles, one at a time for each page, and first on what most \
         visitors wait for.",
        &["views of pages that could be there, in a hundred page views"],
    ),
    (
        "Your HTTP library may send a request again by itself after a reset, so that your breaker hears of \
         fewer failures than there were. Go's net/http does so for a GET on a connection that was kept. Turn \
         that off (a body that cannot be read again, no kept connections), or run it with another --seed.",
        &["open times after resets alone", "open times after a probe that was reset"],
    ),
    (
        "The breaker was not seen to open after such failures alone: does it count them, each attempt of a \
         call? [declared] breaker_failures and breaker_counting must say what it does.",
        &[
            "open times after errors alone",
            "open times after cut answers alone",
            "open times after silence alone",
            "open times after a probe that met an error",
            "open times after a probe whose answer was cut",
            "open times after a probe that met silence",
            "open times with demand",
            "attempts let through after fewer failures than open it",
        ],
    ),
    (
        "Nobody needed Linktree for long enough after the outage: [declared] breaker_open_ms must be what \
         your breaker does, and another --seed brings other visitors.",
        &["heals after an outage, with demand and time", "due pages asked for after the deadline"],
    ),
    (
        "What logs nothing cannot be judged: log a line for each request (name files in [observe] logs), or \
         set severity = \"info\" for it in [guarantee.<id>].",
        &["log lines since the first visit", "log lines searched"],
    ),
    (
        "Nothing was seen to be retried as often as the plan shows: where one attempt is meant, say \
         max_attempts = 1 in [declared].",
        &[
            "calls with all the retries that the plan shows",
            "deliveries that were retried, one after the other",
            "failures of a click in a row",
            "retried clicks",
            "retried clicks whose receipt was lost",
        ],
    ),
    (
        "After a webhook your pages were not fetched again: either there was no room, as slots are kept for \
         clicks ([declared] click_slots), or chance had it so: try another --seed.",
        &[
            "genuine deliveries that show whether effects can be seen",
            "moments at which none came, for comparison",
            "deliveries that nobody may believe and whose effect would show",
            "copies whose effect would show",
        ],
    ),
    (
        ANOTHER_SEED,
        &[
            "first visits before the key could only read",
            "first visits while the key could only read",
            "waits of 7 s or more with demand",
            "forms of Retry-After with demand to wait",
        ],
    ),
    (
        "Clicks were not seen to wait for Linktree: while it is gone, or says to wait, they must be \
         acknowledged and kept until it can be asked again.",
        &[
            "clicks acknowledged in a hindrance that waited for its end",
            "clicks that waited for a tenth longer than that",
            "scrapes of the lag while a click had waited for so long",
        ],
    ),
    (
        "Clicks must wait while the service is killed, and it must be started again by its own command, \
         which stays in the foreground.",
        &[
            "kills with clicks waiting",
            "clicks that waited at a kill",
            "restarts after them",
            "starts",
        ],
    ),
    (
        "The service must take webhooks at [front_door] webhooks, answer each of them, and register that \
         address at each start; `windthrow explain contract` says how they look.",
        &[
            "answered deliveries of each forgery",
            "answered deliveries that were too old",
            "answered deliveries that were too new",
            "answered messages with each list of signatures",
            "genuine messages that were answered",
            "messages that came more than once",
            "genuine webhooks accepted",
            "webhooks that are no JSON",
            "webhooks without data",
            "such webhooks of more than 8 KiB",
            "registrations that failed at first",
            "looks at the address",
        ],
    ),
    (
        "Campaigns must be taken with 202 at [front_door] campaigns; a service that has none says without \
         = [\"campaigns\"].",
        &[
            "acknowledged campaigns of 200 links or more",
            "calls of which five links or more failed",
            "calls that had their effect and no answer",
        ],
    ),
    (
        "After a rotation there must be visitors, clicks and calls: either the service served nothing \
         then, or it ran too short for your key_pickup_ms in [declared].",
        &[
            "rotations of the key",
            "acknowledged clicks after each",
            "good calls with the new key after each",
            "views of pages that were there after each",
            "calls that were answered 401",
        ],
    ),
    (
        "The metric must be there under the name that [observe.metrics] says; a service that has none \
         says without = [\"metrics\"].",
        &[
            "scrapes with the key's age",
            "upstream calls in the histogram",
            "quantiles told from untrue ones",
        ],
    ),
    (
        "The service must answer pages of other origins, also with errors: [front_door] cross_origin says \
         at which routes, and {allowed_origin} is who may.",
        &[
            "answers that let the allowed origin in",
            "answers to other origins",
            "sorts of other origins",
            "error answers to other origins",
        ],
    ),
    (
        "The page must show what creators write (name, biography, titles and addresses of links); \
         `windthrow explain contract` says how that is found on it.",
        &[
            "hostile creators whose page was served",
            "attacks of which a biography shows something",
            "attacks of which a display name shows something",
            "attacks of which a link's address shows something",
            "attacks of which a link's title shows something",
            "naughty strings of which a biography shows something",
            "naughty strings of which a display name shows something",
            "naughty strings of which a link's address shows something",
            "naughty strings of which a link's title shows something",
        ],
    ),
    (
        "What calls for an alert did not last as long as [declared] says that your alert waits: these \
         windows and durations must be those of your rules. Another --seed may show it.",
        &[
            "stretches that called for an alert",
            "stretches that nearly did",
            "stretches of slow calls that called for the alert",
            "stretches in which only the slowest calls were too slow",
            "stretches of timeouts that called for their alert",
            "stretches of timeouts and no refused key",
            "stretches of refused keys that called for their alert",
            "stretches of refused keys and no timeout",
        ],
    ),
    (
        "Linktree must be asked while it is slow: whoever gives up much sooner, or answers all of it from \
         a cache or an open breaker, shows nothing here. Another --seed brings other visitors.",
        &[
            "reads that stalled before the head",
            "reads that stalled inside the body",
            "reads that trickled",
            "first attempts given up while a visitor waited",
            "attempts that timed out",
            "answers whose body took long",
            "calls that timed out",
        ],
    ),
    (
        "Figures must be asked of Linktree while it is slow, and shown where they come in time; a service \
         that has none says without = [\"analytics\"].",
        &[
            "queries that stalled before the head",
            "queries that stalled inside the body",
            "queries that trickled",
            "answers that took three quarters of the limit and were shown",
            "looks at own figures that showed them",
            "looks at figures of another",
            "of these within 1 s after the creator's own",
            "kinds of forged sessions",
        ],
    ),
    (
        "The service asked Linktree so little that the limit never mattered: run viral-spike or \
         close-to-the-limit, or see why visitors led to so few calls.",
        &["requests in one window", "requests in one window, of one key"],
    ),
    (
        "The service must open new connections while certificates are bad: one that keeps its old ones, \
         or stops for longer after an error, shows nothing here.",
        &[
            "connections with an expired certificate",
            "connections with another host's certificate",
            "connections with an unknown authority's certificate",
            "calls over connections that verify",
        ],
    ),
    (
        "The key must be read from the vault again while the service runs, not once at its start, and \
         used for calls.",
        &["reads of the vault that failed", "calls with a key after a failed read"],
    ),
    (
        "Few calls or answers were seen at all: see in target.log what the service does, or run a \
         scenario with more visitors.",
        &[
            "upstream calls",
            "kinds of upstream calls",
            "calls with a key",
            "calls with the key",
            "calls with a body",
            "answers searched",
            "visits that were answered",
            "profiles with an e-mail",
            "page views that could be served",
            "page reads of the viral creator",
            "processes looked into",
        ],
    ),
    (
        "Lists of links must be read to their end, page by page, also while they change and when a cursor \
         has expired. Another --seed changes other lists.",
        &[
            "lists of two pages or more that a page showed",
            "of these with a link inserted meanwhile",
            "of these with a link removed meanwhile",
            "of these with a short page in the middle",
            "expired cursors after which a list was begun anew",
        ],
    ),
    (
        "No visitor asks for what this scope is for, or the scenario did not come to it: name in \
         [declared] scopes what calls of pages and clicks need.",
        &["declared scopes that a call used", "deliveries of clicks refused beside them"],
    ),
    (
        "Pages must be kept and shown again, and be filled anew once they have expired: whoever keeps no \
         page, or never asks again, shows nothing here. Another --seed brings other visitors.",
        &[
            "reads of the viral creator beside a fetch of the page",
            "reads of expired pages in an outage",
            "creators whose expired pages were read",
            "reads of filled pages while Linktree was asked in vain",
            "expired pages asked for after the heal",
        ],
    ),
];
