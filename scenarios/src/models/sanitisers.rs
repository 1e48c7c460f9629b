//! Simulated templates that write hostile words into pages, by sanitisers of several kinds.

use super::{Tally, judged};
use crate::front_door::FrontDoor;
use crate::history::{Did, Hostile, Operation, PageView};
use crate::testing::{History, page};
use crate::traffic::page::Page;
use crate::traffic::page::dom::{Data, Document, ROOT};
use mock_server::world::hostile::{self, Field, naughty};
use mock_server::world::population::{Group, Variety};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use std::cell::RefCell;
use std::collections::HashMap;

/// How words become markup between elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Words {
    /// Five characters become entities.
    Escaped,
    /// Everything but letters and digits becomes a number.
    Numbered,
    /// What looks like a tag is taken out, and the rest is escaped.
    Stripped,
    /// A sanitiser that parses, and writes again what it allows: formatting, lists, links and pictures.
    Formatted,
    /// The same with three elements only.
    BoldItalicAnchor,
    /// Escaped, and what looks like an address is a link.
    Linked,
    /// As they are.
    Raw,
    /// Scripts are taken out by a pattern.
    WithoutScripts,
    /// Handlers are taken out by a pattern, once.
    WithoutHandlers,
}

/// How an address becomes a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Link {
    /// As it was written, if it is of the web.
    Web,
    /// As a parser spells it, if it is of the web.
    Spelled,
    /// Shown as text unless it is of the web.
    Shown,
    /// By way of the service's own counter.
    Counted,
    /// Unless it begins with one forbidden scheme.
    NotScript,
    /// Whatever it is.
    Any,
    /// Of the web, and quotes stay what they are.
    QuotesLeft,
}

/// What else the page holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum More {
    Nothing,
    /// Its state for a script, in which `<` is written as an escape.
    State,
    /// The same as JSON, and as data for search engines.
    Json,
    /// An attribute that runs the page's own script with the title in it.
    Handler,
    /// The state as a serialiser writes it.
    RawState,
    /// The JSON as a serialiser writes it.
    RawJson,
    /// The title in an attribute without quotes.
    Unquoted,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Template {
    words: Words,
    link: Link,
    more: More,
}

const LAWFUL_WORDS: [Words; 6] = [
    Words::Escaped,
    Words::Numbered,
    Words::Stripped,
    Words::Formatted,
    Words::BoldItalicAnchor,
    Words::Linked,
];
const LAWFUL_LINKS: [Link; 4] = [Link::Web, Link::Spelled, Link::Shown, Link::Counted];
const LAWFUL_MORE: [More; 4] = [More::Nothing, More::State, More::Json, More::Handler];

fn escaped(text: &str) -> String {
    let pairs = [('&', "&amp;"), ('<', "&lt;"), ('>', "&gt;"), ('"', "&quot;"), ('\'', "&#39;")];
    pairs.iter().fold(text.to_owned(), |text, (one, entity)| text.replace(*one, entity))
}

fn without(text: &str, from: &str, to: &str) -> String {
    let (mut kept, mut rest) = (String::new(), text);
    while let Some((before, behind)) = rest.split_once(from) {
        kept.push_str(before);
        rest = behind.split_once(to).map_or("", |(_, behind)| behind);
    }
    kept + rest
}

impl Words {
    fn markup(self, text: &str) -> String {
        match self {
            Self::Escaped => escaped(text),
            Self::Numbered => text
                .chars()
                .map(|one| match one {
                    one if one.is_ascii_alphanumeric() => one.to_string(),
                    one => format!("&#x{:x};", u32::from(one)),
                })
                .collect(),
            Self::Stripped => escaped(&without(text, "<", ">")),
            Self::Formatted => {
                allowed(text, &["a", "b", "i", "em", "p", "ul", "li", "img", "table"])
            }
            Self::BoldItalicAnchor => allowed(text, &["b", "i", "a"]),
            Self::Linked => text
                .split(' ')
                .map(|word| match web(word) {
                    Some(_) => format!("<a href=\"{0}\">{0}</a>", escaped(word)),
                    None => escaped(word),
                })
                .collect::<Vec<_>>()
                .join(" "),
            Self::Raw => text.to_owned(),
            Self::WithoutScripts => without(text, "<script", "</script>"),
            Self::WithoutHandlers => text.replacen("onerror=", "", 1).replacen("onload=", "", 1),
        }
    }
}

/// Of markup the elements with these names, without attributes but for addresses of the web; of others what
/// stands in them, unless it is no text. Written anew from the tree, as sanitisers do.
fn allowed(markup: &str, elements: &[&str]) -> String {
    let document = Document::parse(markup.as_bytes());
    let mut out = String::new();
    write(&document, ROOT, elements, &mut out);
    out
}

fn write(document: &Document, id: usize, elements: &[&str], out: &mut String) {
    let node = document.node(id);
    let inside = |out: &mut String| {
        document.children(node).iter().for_each(|child| write(document, *child, elements, out));
    };
    match &node.data {
        Data::Root => inside(out),
        Data::Text(text) => out.push_str(&escaped(text)),
        Data::Doctype(_) | Data::Comment(_) => {}
        Data::Element(element) => {
            let name = &*element.name.local;
            match name {
                "script" | "style" | "noscript" | "iframe" | "noembed" | "noframes" => {}
                _ if !elements.contains(&name) => inside(out),
                _ => {
                    let address = ["href", "src"].map(|name| (name, element.attribute(name)));
                    let address = address.into_iter().filter_map(|(name, value)| {
                        Some(format!(
                            " {name}=\"{}\"",
                            escaped(value.filter(|it| web(it).is_some())?)
                        ))
                    });
                    out.push_str(&format!("<{name}{}>", address.collect::<String>()));
                    inside(out);
                    if name != "img" {
                        out.push_str(&format!("</{name}>"));
                    }
                }
            }
        }
    }
}

fn web(address: &str) -> Option<reqwest::Url> {
    let url = reqwest::Url::parse(address).ok()?;
    matches!(url.scheme(), "http" | "https").then_some(url)
}

impl Link {
    fn markup(self, address: &str, title: &str) -> String {
        let anchor = |href: &str| format!("<li><a href=\"{href}\">{title}</a></li>");
        match (self, web(address)) {
            (Self::Any, _) => anchor(&escaped(address)),
            (Self::NotScript, _) if !address.starts_with("javascript:") => {
                anchor(&escaped(address))
            }
            (Self::QuotesLeft, Some(_)) => anchor(&address.replace('<', "&lt;")),
            (Self::Web | Self::Shown, Some(_)) => anchor(&escaped(address)),
            (Self::Spelled, Some(url)) => anchor(&escaped(url.as_str())),
            (Self::Counted, Some(url)) => {
                let to: String = url.as_str().bytes().fold(String::new(), |to, byte| {
                    let plain = byte.is_ascii_alphanumeric();
                    if plain {
                        to + &char::from(byte).to_string()
                    } else {
                        to + &format!("%{byte:02X}")
                    }
                });
                anchor(&format!("/out?to={to}"))
            }
            (Self::Shown, None) => format!("<li>{title} ({})</li>", escaped(address)),
            _ => format!("<li>{title}</li>"),
        }
    }
}

impl More {
    fn markup(self, title: &str) -> String {
        let raw = serde_json::to_string(title).unwrap();
        let json = raw.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026");
        match self {
            Self::Nothing => String::new(),
            Self::State => format!("<script>window.state = {{title: {json}}};</script>"),
            Self::Json => format!(
                "<script type=\"application/ld+json\">{{\"name\":{json}}}</script>\
                 <script id=state type=\"application/json\">[{json}]</script>"
            ),
            Self::Handler => {
                format!("<button onclick=\"share({})\">share</button>", escaped(&json))
            }
            Self::RawState => format!("<script>window.state = {{title: {raw}}};</script>"),
            Self::RawJson => format!("<script type=\"application/json\">[{raw}]</script>"),
            Self::Unquoted => {
                let bare = title.replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
                format!("<p title={bare}>")
            }
        }
    }
}

impl Template {
    fn page(self, number: u16) -> String {
        let [name, bio] =
            [Field::DisplayName, Field::Bio].map(|field| hostile::words(field, number));
        let title = hostile::text(Field::LinkTitle, number);
        let plain = escaped(&name);
        let links = hostile::addresses(number);
        let link =
            |address: &str, title: &str| self.link.markup(address, &self.words.markup(title));
        let links = links.map(|address| link(&address, &title));
        let naughty = naughty::numbers(number).map(|number| {
            let title = naughty::text(Field::LinkTitle, number);
            link("https://example.org/", &title) + &link(&naughty::address(number), "more")
        });
        format!(
            "<!doctype html><html><head><title>{plain}</title>\
             <meta property=\"og:title\" content=\"{plain}\">{}</head>\
             <body><h1 title=\"{plain}\">{}</h1><p>{}</p><ul>{}</ul></body></html>",
            self.more.markup(&title),
            self.words.markup(&name),
            self.words.markup(&bio),
            links.concat() + &naughty.collect::<String>(),
        )
    }
}

/// What is read in the pages of a template, from the first creator's on.
type Read = HashMap<Template, Vec<Hostile>>;

fn simulated(random: &mut ChaCha8Rng, template: Template, known: &RefCell<Read>) -> History {
    let creators = hostile::attacks();
    let mut history = History::over(&[]);
    let (prefix, variety) = ("evil".into(), Variety::Hostile);
    let group = Group { prefix, count: creators, min_links: 2, max_links: 2, variety };
    history.case.plan.population.groups = vec![group];
    let mut known = known.borrow_mut();
    let read = known.entry(template).or_insert_with(|| {
        let pages = (1..=u16::try_from(creators).unwrap()).map(|number| template.page(number));
        let front = FrontDoor::default();
        pages.map(|page| Page::read(page.as_bytes(), &front).hostile).collect()
    });
    for (number, hostile) in (1..).zip(read) {
        // Some were not served.
        if random.random_range(0..40) == 0 {
            continue;
        }
        let (hostile, at) = (Some(Box::new(hostile.clone())), number * 100);
        history = history.operation(Operation {
            handle: format!("evil-{number:04}").into(),
            did: Did::Page(PageView { hostile, ..PageView::default() }),
            ..page("-", at, at + 5, "-")
        });
    }
    history
}

fn outcome(template: impl Fn(&mut ChaCha8Rng) -> Template) -> Tally {
    let known = RefCell::default();
    judged("html-sanitised", |random| {
        let template = template(random);
        simulated(random, template, &known)
    })
}

const SOUND: Template = Template { words: Words::Escaped, link: Link::Web, more: More::Nothing };

#[test]
fn templates_that_escape_strip_or_allow_a_little_are_never_blamed() {
    let any = |random: &mut ChaCha8Rng| Template {
        words: LAWFUL_WORDS[random.random_range(0..LAWFUL_WORDS.len())],
        link: LAWFUL_LINKS[random.random_range(0..LAWFUL_LINKS.len())],
        more: LAWFUL_MORE[random.random_range(0..LAWFUL_MORE.len())],
    };
    outcome(any).is_never_blamed("any lawful template", 80);
}

#[test]
fn templates_that_let_anything_through_are_caught() {
    for words in [Words::Raw, Words::WithoutScripts, Words::WithoutHandlers] {
        outcome(|_| Template { words, ..SOUND }).is_caught(&format!("{words:?}"), 100);
    }
    for link in [Link::NotScript, Link::Any, Link::QuotesLeft] {
        outcome(|_| Template { link, ..SOUND }).is_caught(&format!("{link:?}"), 100);
    }
    for more in [More::RawState, More::RawJson, More::Unquoted] {
        // One attack or two show it, and a page in forty was not served.
        outcome(|_| Template { more, ..SOUND }).is_caught(&format!("{more:?}"), 95);
    }
}
