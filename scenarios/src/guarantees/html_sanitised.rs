//! What hostile creators write into their pages stays text there, or markup that runs nothing.
//!
//! Blind to: scripts of the page's own, and pages that scripts render. Broken by: `title-unescaped`,
//! `quotes-left-in-addresses`, `javascript-denied-by-prefix`, `scheme-check-misses-tabs`,
//! `script-tags-taken-out-once`, `name-unescaped`, `name-unescaped-in-the-head`.

use super::{Guarantee, Judge, Priority, Promise, Sight, Stands};
use crate::case::Case;
use crate::history::{Finding, Operation};
use crate::measure::{Gauge, so_many};
use crate::strength::Minimum;
use crate::verdict::{Offences, Verdict, Witness};
use mock_server::world::hostile::{self, Field, naughty};
use mock_server::world::population::Variety;
use std::collections::{BTreeMap, BTreeSet, HashMap};

const PROMISE: Promise = Promise {
    id: "html-sanitised",
    statement: "What users write — names, biographies, titles and addresses of links — cannot run script \
                in the page.",
    priority: Priority::Standard,
    source: "checklist; WHATWG HTML section 13 and URL section 4.4 for what browsers make of markup and \
             addresses, which html5ever reads as they do; the attacks are the mock's own corpus, beside the \
             Big List of Naughty Strings",
    why: "Whoever signs up can otherwise run script in every visitor's browser, under your domain.",
    usual_fix: "Let the template language escape everything, quote every attribute, allow http, https, \
                mailto and tel after the address was parsed (and nothing else), and where markup is allowed \
                leave it to a sanitiser that parses: DOMPurify, ammonia, nh3.",
    blind_to: "What stands within a script, a handler or a style of the page's own: there only that counts \
               which breaks out of it. Pages that a script renders are not judged. Content-Security-Policy \
               is no excuse here: it is the second wall. Schemes other than those of the corpus. What a naughty \
               string does that runs nothing, such as text that is turned around or piled up.",
    bounds: &[],
    minimums: &[
        PAGES,
        NAMES,
        BIOS,
        TITLES,
        ADDRESSES,
        NAUGHTY_NAMES,
        NAUGHTY_BIOS,
        NAUGHTY_TITLES,
        NAUGHTY_ADDRESSES,
    ],
    when_late: Stands::Always,
    when_overloaded: Stands::Always,
    needs: &[],
    sees: &[Sight::FrontDoor],
};

/// Where the plan has hostile creators: nine of ten of them.
const PAGES: Minimum = Minimum { name: "hostile creators whose page was served", least: 54 };
const NAMES: Minimum =
    Minimum { name: "attacks of which a display name shows something", least: 40 };
const BIOS: Minimum = Minimum { name: "attacks of which a biography shows something", least: 40 };
const TITLES: Minimum =
    Minimum { name: "attacks of which a link's title shows something", least: 40 };
const ADDRESSES: Minimum =
    Minimum { name: "attacks of which a link's address shows something", least: 40 };

/// Of what the hostile creators have: nine of ten of their strings as titles, as many as of their pages; half as
/// addresses, since some forms of addresses leave out many of them; and a tenth in names and biographies, which
/// hold several and may be cut.
const NAUGHTY_NAMES: Minimum =
    Minimum { name: "naughty strings of which a display name shows something", least: 48 };
const NAUGHTY_BIOS: Minimum =
    Minimum { name: "naughty strings of which a biography shows something", least: 48 };
const NAUGHTY_TITLES: Minimum =
    Minimum { name: "naughty strings of which a link's title shows something", least: 432 };
const NAUGHTY_ADDRESSES: Minimum =
    Minimum { name: "naughty strings of which a link's address shows something", least: 240 };

/// See the module.
pub struct HtmlSanitised;

impl Guarantee for HtmlSanitised {
    fn promise(&self) -> &'static Promise {
        &PROMISE
    }

    fn begin<'c>(&self, case: &'c Case) -> Box<dyn Judge + 'c> {
        let groups = case.plan.population.groups.iter();
        let hostile = groups.filter(|group| group.variety == Variety::Hostile);
        let handles = hostile
            .flat_map(|group| (1..=group.count).map(|n| (group.handle(n), hostile::number(n))));
        Box::new(Looking {
            case,
            numbers: handles.collect(),
            served: BTreeSet::new(),
            shown: BTreeMap::new(),
            naughty: BTreeMap::new(),
            in_script: BTreeMap::new(),
            known: BTreeSet::new(),
            broken: BTreeMap::new(),
            offences: Offences::default(),
        })
    }
}

struct Looking<'c> {
    case: &'c Case,
    /// The number of the attack of each hostile creator.
    numbers: HashMap<String, u16>,
    /// Those whose page was served whole.
    served: BTreeSet<u16>,
    /// Of whose fields something was seen.
    shown: BTreeMap<Field, BTreeSet<u16>>,
    /// Strings of which something was seen.
    naughty: BTreeMap<Field, BTreeSet<u16>>,
    /// Of whose fields something stood in scripts of the page's own.
    in_script: BTreeMap<Field, BTreeSet<u16>>,
    /// What is blamed already: a page is shown more than once.
    known: BTreeSet<Finding>,
    /// How often each field was blamed.
    broken: BTreeMap<Field, u64>,
    offences: Offences,
}

impl Judge for Looking<'_> {
    fn operation(&mut self, operation: &Operation<'_>) {
        let Some(view) = operation.page().filter(|_| operation.is_ok()) else { return };
        let Some(&number) = self.numbers.get(&*operation.handle) else { return };
        self.served.insert(number);
        let Some(hostile) = &view.hostile else { return };
        for field in &hostile.shown {
            self.shown.entry(*field).or_default().insert(number);
        }
        for field in &hostile.in_script {
            self.in_script.entry(*field).or_default().insert(number);
        }
        // A mark of another creator is none of this page's; six letters may also stand anywhere by chance.
        let own = |of: u16| of == number || naughty::numbers(number).contains(&of);
        for (field, string) in hostile.naughty.iter().filter(|(_, string)| own(*string)) {
            self.naughty.entry(*field).or_default().insert(*string);
        }
        for finding in hostile.findings.iter().filter(|finding| own(finding.number)) {
            if self.known.insert(finding.clone()) {
                let case = self.case;
                let at = operation.last;
                let times = self.broken.entry(finding.field).or_default();
                *times += 1;
                // However many there are of one field, the first of each other one is told.
                self.offences.add_weighing(at, u64::from(*times == 1), || {
                    Witness::new(at, wrong(finding))
                        .line(case.tell_operation(operation))
                        .line(format!("the creator wrote {:?}", written(finding)))
                });
            }
        }
    }

    fn verdict(self: Box<Self>) -> Verdict {
        let count =
            |of: &BTreeMap<Field, BTreeSet<u16>>, field| of.get(&field).map_or(0, BTreeSet::len);
        let [names, bios, titles, addresses] = Field::ALL.map(|field| count(&self.shown, field));
        let naughty = Field::ALL.map(|field| count(&self.naughty, field));
        let [naughty_names, naughty_bios, naughty_titles, naughty_addresses] = naughty;
        let creators: BTreeSet<u16> = self.numbers.values().copied().collect();
        let strings = creators.iter().map(|number| naughty::numbers(*number).len()).sum::<usize>();
        // Of what the plan has; where it has nobody who is hostile, what is asked for otherwise.
        let of = |minimum: Minimum, all: usize, part: u64| match creators.len() {
            0 => minimum.least,
            _ => (all as u64 * part).div_ceil(10),
        };
        let strength = [
            PAGES.of(self.served.len(), of(PAGES, creators.len(), 9)),
            NAMES.seen(names),
            BIOS.seen(bios),
            TITLES.seen(titles),
            ADDRESSES.seen(addresses),
            NAUGHTY_NAMES.of(naughty_names, of(NAUGHTY_NAMES, strings, 1)),
            NAUGHTY_BIOS.of(naughty_bios, of(NAUGHTY_BIOS, strings, 1)),
            NAUGHTY_TITLES.of(naughty_titles, of(NAUGHTY_TITLES, strings, 9)),
            NAUGHTY_ADDRESSES.of(naughty_addresses, of(NAUGHTY_ADDRESSES, strings, 5)),
        ];
        let rendered = Field::ALL.into_iter().any(|field| {
            let (shown, in_script) = (count(&self.shown, field), count(&self.in_script, field));
            (shown as u64) < NAMES.least && in_script as u64 >= NAMES.least
        });
        let by_script = rendered.then(|| {
            "pages are rendered by script, which is not run here: their markup shows too little of what \
             creators wrote"
                .to_owned()
        });
        let attacks = names + bios + titles + addresses;
        let all = attacks + naughty.iter().sum::<usize>();
        let became = Gauge::none_of("attacks that became markup, script or a dangerous address")
            .counted(self.offences.count(), all);
        let broken = self.broken.iter().map(|(field, times)| format!("{times} in a {field}"));
        let broken: Vec<String> = broken.collect();
        let blamed = if broken.is_empty() {
            String::new()
        } else {
            format!("; of what came through, {}", broken.join(", "))
        };
        let observed = format!(
            "{} with {} something, {} of them in scripts of the page's own; of {strings} naughty strings \
             {naughty_names} show something in a display name, {naughty_bios} in a biography, {naughty_titles} as \
             a title and {naughty_addresses} as an address{blamed}",
            so_many(self.served.len(), "page", "pages"),
            so_many(attacks, "attack that shows", "attacks that show"),
            self.in_script.values().map(BTreeSet::len).sum::<usize>(),
        );
        self.offences
            .verdict(self.served.len(), "pages of hostile creators")
            .at_least(strength)
            .because(by_script)
            .measured(
                [became],
                observed,
                "what creators wrote is text, or markup that runs nothing",
            )
    }
}

fn wrong(finding: &Finding) -> String {
    let Finding { field, number, became, place, mutated } = finding;
    let again = if *mutated { ", once the page's markup is read and written again" } else { "" };
    let what = if is_naughty(finding) { "naughty string" } else { "attack" };
    format!("{what} {number} in a {field} became {became}: {place}{again}")
}

const fn is_naughty(finding: &Finding) -> bool {
    finding.number >= naughty::FIRST
}

fn written(finding: &Finding) -> String {
    match finding.field {
        Field::LinkUrl if is_naughty(finding) => naughty::address(finding.number),
        field if is_naughty(finding) => naughty::text(field, finding.number),
        Field::LinkUrl => hostile::addresses(finding.number).join(" and "),
        field => hostile::text(field, finding.number),
    }
}

#[cfg(test)]
mod tests;
