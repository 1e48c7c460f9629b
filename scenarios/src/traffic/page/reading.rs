//! Hands a page to the HTML parser, and notes those elements that say something to a visitor.
//!
//! html5ever decides what is an element as browsers do, through quotes, entities, comments, scripts
//! and foreign content. lol_html takes a third of the time, but leaves entities as they are; since
//! each page is read once, that counts for more.

use super::Page;
use crate::front_door::FrontDoor;
use html5ever::interface::{ElementFlags, NodeOrText, QuirksMode, TreeSink};
use html5ever::tendril::{StrTendril, TendrilSink};
use html5ever::tree_builder::TreeBuilderOpts;
use html5ever::{
    Attribute, ExpandedName, ParseOpts, QualName, expanded_name, local_name, ns, parse_document,
};
use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

/// Reads a page; bytes that are no UTF-8 stand for unknown characters.
pub fn read(body: &[u8], front: &FrontDoor) -> Page {
    let sink = Reader {
        document: Rc::new(Node::new(QualName::new(None, ns!(), local_name!("")))),
        // Parsers give attributes in lower case.
        link_id: front.link_id_attribute.to_ascii_lowercase(),
        version_meta: &front.version_meta,
        versions: RefCell::default(),
        links: RefCell::default(),
    };
    // Visitors run no scripts.
    let tree_builder = TreeBuilderOpts { scripting_enabled: false, ..TreeBuilderOpts::default() };
    let options = ParseOpts { tree_builder, ..ParseOpts::default() };
    parse_document(sink, options).from_utf8().one(body)
}

/// A node of the page, of which only this is kept.
struct Node {
    name: QualName,
    /// Whether it is on the page; what stands in a template is not.
    shown: Cell<bool>,
}

impl Node {
    const fn new(name: QualName) -> Self {
        Self { name, shown: Cell::new(true) }
    }
}

/// What an element says, and the element.
type Noted = RefCell<Vec<(Rc<Node>, StrTendril)>>;

struct Reader<'f> {
    document: Rc<Node>,
    link_id: String,
    version_meta: &'f str,
    versions: Noted,
    links: Noted,
}

impl TreeSink for Reader<'_> {
    type Handle = Rc<Node>;
    type Output = Page;
    type ElemName<'a>
        = ExpandedName<'a>
    where
        Self: 'a;

    fn finish(self) -> Page {
        let shown = |noted: Noted| {
            let noted = noted.into_inner().into_iter();
            noted.filter(|(node, _)| node.shown.get()).map(|(_, text)| text.to_string())
        };
        let version = shown(self.versions).next();
        // Where markup is badly nested, one element of the source becomes two, and a link's own elements
        // may all bear its id, so often as those of any other.
        let (mut links, mut apart) = (Vec::<String>::new(), HashSet::new());
        let mut times: HashMap<String, u32> = HashMap::new();
        let mut last = String::new();
        for id in shown(self.links).filter(|id| !id.is_empty()) {
            let known = times.entry(id.clone()).or_default();
            *known += 1;
            if *known == 1 {
                links.push(id.clone());
            } else if id != last {
                apart.insert(id.clone());
            }
            last = id;
        }
        let usual = times.values().min().copied().unwrap_or(1);
        let again = |id: &&String| apart.contains(*id) || times[*id] > usual;
        let repeated = links.iter().filter(again).cloned().collect();
        Page { version, links, repeated, ..Page::default() }
    }

    fn create_element(
        &self,
        name: QualName,
        attributes: Vec<Attribute>,
        _: ElementFlags,
    ) -> Rc<Node> {
        let node = Rc::new(Node::new(name));
        let value = |wanted: &str| {
            let found = attributes.iter().find(|attribute| &*attribute.name.local == wanted);
            found.map(|attribute| attribute.value.clone())
        };
        if let Some(id) = value(&self.link_id) {
            self.links.borrow_mut().push((Rc::clone(&node), id));
        }
        if node.name.expanded() == expanded_name!(html "meta")
            && value("name").is_some_and(|name| name.eq_ignore_ascii_case(self.version_meta))
            && let Some(version) = value("content")
        {
            self.versions.borrow_mut().push((Rc::clone(&node), version));
        }
        node
    }

    fn get_document(&self) -> Rc<Node> {
        Rc::clone(&self.document)
    }

    fn elem_name<'a>(&'a self, node: &'a Rc<Node>) -> ExpandedName<'a> {
        node.name.expanded()
    }

    fn same_node(&self, one: &Rc<Node>, other: &Rc<Node>) -> bool {
        Rc::ptr_eq(one, other)
    }

    fn get_template_contents(&self, template: &Rc<Node>) -> Rc<Node> {
        Rc::new(Node { name: template.name.clone(), shown: Cell::new(false) })
    }

    fn append(&self, parent: &Rc<Node>, child: NodeOrText<Rc<Node>>) {
        if let NodeOrText::AppendNode(child) = child {
            child.shown.set(parent.shown.get());
        }
    }

    fn append_before_sibling(&self, sibling: &Rc<Node>, child: NodeOrText<Rc<Node>>) {
        self.append(sibling, child);
    }

    fn append_based_on_parent_node(
        &self,
        element: &Rc<Node>,
        _: &Rc<Node>,
        child: NodeOrText<Rc<Node>>,
    ) {
        self.append(element, child);
    }

    // Nothing else says anything to a visitor.
    fn create_comment(&self, _: StrTendril) -> Rc<Node> {
        Rc::clone(&self.document)
    }
    fn create_pi(&self, _: StrTendril, _: StrTendril) -> Rc<Node> {
        Rc::clone(&self.document)
    }
    fn append_doctype_to_document(&self, _: StrTendril, _: StrTendril, _: StrTendril) {}
    fn add_attrs_if_missing(&self, _: &Rc<Node>, _: Vec<Attribute>) {}
    fn remove_from_parent(&self, _: &Rc<Node>) {}
    fn reparent_children(&self, _: &Rc<Node>, _: &Rc<Node>) {}
    fn parse_error(&self, _: Cow<'static, str>) {}
    fn set_quirks_mode(&self, _: QuirksMode) {}
}
