//! Finds what became of a hostile creator's words on a page, by the marks that stand in them.
//!
//! What holds the mark within an attack and not the one before it is of the attack's own making: it was cut
//! loose from the text that it stood in. What holds both is the page's own, with the creator's words in it.

use super::dom::{Data, Document, Element, Node};
use crate::history::{Became, Finding, Hostile};
use mock_server::world::hostile::{Field, Mark, Place, naughty};
use std::collections::BTreeSet;

/// Attributes that hold addresses.
const ADDRESSES: [&str; 8] =
    ["href", "src", "action", "formaction", "poster", "data", "xlink:href", "ping"];
/// Schemes that run script, or open a document that whoever wrote the address has written; and that of
/// files. They are those that the corpus attacks with.
const SCHEMES: [&str; 7] =
    ["javascript", "vbscript", "data", "file", "view-source", "blob", "filesystem"];
/// Elements that take over a page, or a part of it.
const ELEMENTS: [&str; 8] = ["object", "embed", "base", "svg", "math", "template", "form", "style"];
/// Elements of which no visitor sees what stands in them.
const UNSEEN: [&str; 8] =
    ["script", "style", "title", "noscript", "iframe", "noembed", "noframes", "template"];

/// What became of hostile words on a page; empty where there are none.
pub fn read(body: &[u8]) -> Hostile {
    // Hardly any page has one, and looking costs far less than parsing.
    if Mark::all_in(&String::from_utf8_lossy(body)).next().is_none() {
        return Hostile::default();
    }
    let document = Document::parse(body);
    let mut first = Reading::of(&document);
    let second = Reading::of(&Document::parse(&document.markup()));
    let new: Vec<Finding> = second.findings.difference(&first.findings).cloned().collect();
    first.findings.extend(new.into_iter().map(|one| Finding { mutated: true, ..one }));
    let is_naughty = |of: &(Field, u16)| of.1 >= naughty::FIRST;
    let (naughty, shown): (Vec<_>, Vec<_>) = first.shown.into_iter().partition(is_naughty);
    Hostile {
        shown: fields(shown),
        naughty,
        in_script: fields(first.in_script),
        findings: first.findings.into_iter().collect(),
    }
}

fn fields(of: impl IntoIterator<Item = (Field, u16)>) -> Vec<Field> {
    let each: BTreeSet<Field> = of.into_iter().map(|(field, _)| field).collect();
    each.into_iter().collect()
}

#[derive(Default)]
struct Reading {
    shown: BTreeSet<(Field, u16)>,
    in_script: BTreeSet<(Field, u16)>,
    findings: BTreeSet<Finding>,
}

/// Which attacks a text holds, and which of them on their own.
fn attacks(text: &str) -> Vec<(Field, u16, bool)> {
    let marks: Vec<Mark> = Mark::all_in(text).collect();
    let id = |mark: &Mark| (mark.field, mark.number);
    let has = |of, place| marks.iter().any(|mark| id(mark) == of && mark.place == place);
    let ids: BTreeSet<_> = marks.iter().map(id).collect();
    let alone = |of| has(of, Place::Within) && !has(of, Place::Begin);
    ids.into_iter().map(|of| (of.0, of.1, alone(of))).collect()
}

impl Reading {
    fn of(document: &Document) -> Self {
        let mut reading = Self::default();
        document.walk(|node| match &node.data {
            Data::Text(text) => {
                reading
                    .shown
                    .extend(attacks(text).into_iter().map(|(field, number, _)| (field, number)));
                true
            }
            Data::Element(element) => {
                let name = &*element.name.local;
                reading.element(element, name);
                if name == "script" {
                    reading.script(element, &document.text_in(node));
                } else if name == "style" {
                    reading.style(document, node);
                }
                !UNSEEN.contains(&name)
            }
            Data::Root | Data::Doctype(_) | Data::Comment(_) => true,
        });
        reading
    }

    fn find(&mut self, (field, number): (Field, u16), became: Became, place: String) {
        self.findings.insert(Finding { field, number, became, place, mutated: false });
    }

    fn element(&mut self, element: &Element, name: &str) {
        for attribute in &element.attributes {
            let value = &*attribute.value;
            let attacks = attacks(value);
            if attacks.is_empty() {
                continue;
            }
            let attribute = spelled(attribute.name.prefix.as_deref(), &attribute.name.local);
            let place = || format!("{} of {}", words(&attribute), words(name));
            let holds_address = ADDRESSES.contains(&attribute.as_str());
            for (field, number, alone) in attacks {
                let of = (field, number);
                if holds_address {
                    self.shown.insert(of);
                    if runs(value) && !is_image(element, name, &attribute, value) {
                        self.find(of, Became::Address, place());
                    }
                }
                let became = match attribute.as_str() {
                    _ if !alone => continue,
                    "style" => Became::Style,
                    "srcdoc" => Became::Document,
                    handler if handler.starts_with("on") => Became::Handler,
                    "src" if name == "script" => Became::Script,
                    _ if takes_over(element, name) => Became::Element,
                    _ => continue,
                };
                self.find(of, became, place());
            }
        }
    }

    /// A JSON script must be JSON, whatever stands in it. In others only what was cut loose counts.
    fn script(&mut self, element: &Element, text: &str) {
        let kind = element.attribute("type").unwrap_or_default().trim().to_ascii_lowercase();
        let json = kind.ends_with("json") || matches!(&*kind, "importmap" | "speculationrules");
        let broken = json && serde_json::from_str::<serde::de::IgnoredAny>(text).is_err();
        for (field, number, alone) in attacks(text) {
            if alone && !json {
                self.find((field, number), Became::Script, "script".to_owned());
            } else if broken {
                self.find(
                    (field, number),
                    Became::BrokenJson,
                    format!("script of type {}", words(&kind)),
                );
            } else {
                self.in_script.insert((field, number));
            }
        }
    }

    fn style(&mut self, document: &Document, node: &Node) {
        let own = attacks(&document.text_in(node)).into_iter().filter(|(.., alone)| *alone);
        for (field, number, _) in own {
            self.find((field, number), Became::Style, "style".to_owned());
        }
    }
}

/// Whether an element that an attack has made takes over a part of the page.
fn takes_over(element: &Element, name: &str) -> bool {
    let lower = |attribute| element.attribute(attribute).unwrap_or_default().to_ascii_lowercase();
    match name {
        "meta" => element.attribute("http-equiv").is_some(),
        "link" => {
            lower("rel").split_ascii_whitespace().any(|rel| matches!(rel, "stylesheet" | "import"))
        }
        // A creator may embed a film, from elsewhere.
        "iframe" => !matches!(scheme(&lower("src")).as_deref(), Some("http" | "https")),
        _ => ELEMENTS.contains(&name),
    }
}

/// A picture is one, even if it is written as SVG: browsers run no scripts in it.
fn is_image(element: &Element, name: &str, attribute: &str, value: &str) -> bool {
    let shows = match (name, attribute) {
        ("img" | "input" | "source", "src") | ("video", "poster") => true,
        ("link", "href") => element.attribute("rel").is_some_and(|rel| rel.contains("icon")),
        _ => false,
    };
    shows && stripped(value).to_ascii_lowercase().starts_with("data:image/")
}

fn runs(address: &str) -> bool {
    scheme(address).is_some_and(|scheme| SCHEMES.contains(&scheme.as_str()))
}

/// The scheme of an address as browsers read it (WHATWG URL, 4.4); none of a relative one.
fn scheme(address: &str) -> Option<String> {
    let address = stripped(address);
    let (scheme, _) = address.split_once(':')?;
    let mut letters = scheme.chars();
    let good = letters.next().is_some_and(|first| first.is_ascii_alphabetic())
        && letters.all(|one| one.is_ascii_alphanumeric() || "+-.".contains(one));
    good.then(|| scheme.to_ascii_lowercase())
}

/// Without what browsers take out first: control characters and spaces around, tabs and line ends within.
fn stripped(address: &str) -> String {
    let around = |one: char| one <= ' ';
    address.trim_matches(around).replace(['\t', '\n', '\r'], "")
}

fn spelled(prefix: Option<&str>, local: &str) -> String {
    prefix
        .map_or_else(|| local.to_owned(), |prefix| format!("{prefix}:{local}"))
        .to_ascii_lowercase()
}

/// A name of the page in a few plain characters: an attack may have chosen it.
fn words(name: &str) -> String {
    let plain = |one: &char| one.is_ascii_alphanumeric() || "-_:/.+".contains(*one);
    name.chars().filter(plain).take(32).collect()
}

#[cfg(test)]
mod tests;
