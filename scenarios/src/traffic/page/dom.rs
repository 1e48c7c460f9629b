//! A page as a tree of nodes, as a browser that runs scripts would build it, and the tree as markup again.
//!
//! Nodes lie in one list and name each other by their place in it, so that no depth of a hostile page is
//! too deep for the stack.

use html5ever::interface::{ElementFlags, NodeOrText, QuirksMode, TreeSink};
use html5ever::serialize::{
    AttrRef, HtmlSerializer, Serialize, SerializeOpts, Serializer, TraversalScope,
};
use html5ever::tendril::{StrTendril, TendrilSink};
use html5ever::{Attribute, ExpandedName, ParseOpts, QualName, local_name, ns, parse_document};
use std::borrow::Cow;
use std::cell::RefCell;
use std::io;
use std::rc::Rc;

/// The place of the document itself.
pub const ROOT: usize = 0;

/// A parsed page.
#[derive(Debug)]
pub struct Document {
    nodes: Vec<Node>,
}

/// One node.
#[derive(Debug)]
pub struct Node {
    /// What it is.
    pub data: Data,
    parent: Option<usize>,
    children: Vec<usize>,
}

/// What a node is.
#[derive(Debug)]
pub enum Data {
    /// The document, or what is in a template.
    Root,
    /// A declaration of the document's type.
    Doctype(String),
    /// Text.
    Text(String),
    /// A comment.
    Comment(String),
    /// An element.
    Element(Element),
}

/// An element.
#[derive(Debug)]
pub struct Element {
    /// Its name.
    pub name: Rc<QualName>,
    /// Its attributes.
    pub attributes: Vec<Attribute>,
    /// Where that is which is in a template.
    content: Option<usize>,
}

impl Document {
    /// Reads a page; bytes that are no UTF-8 stand for unknown characters. Scripting counts as on: what
    /// stands in `noscript` is text then.
    #[must_use]
    pub fn parse(body: &[u8]) -> Self {
        let root = Node { data: Data::Root, parent: None, children: Vec::new() };
        let sink = Sink { nodes: RefCell::new(vec![root]) };
        parse_document(sink, ParseOpts::default()).from_utf8().one(body)
    }

    /// The page as markup, as a script reads it.
    #[must_use]
    pub fn markup(&self) -> Vec<u8> {
        let mut markup = Vec::new();
        let options = SerializeOpts { create_missing_parent: true, ..SerializeOpts::default() };
        let mut serializer = HtmlSerializer::new(&mut markup, options);
        // Writing into memory does not fail.
        let _ = self.serialize(&mut serializer, TraversalScope::ChildrenOnly(None));
        markup
    }

    /// Visits every node but the document in the order of the page; false for those whose children are
    /// not to be visited. What is in a template is visited with it.
    pub fn walk<'d>(&'d self, mut visit: impl FnMut(&'d Node) -> bool) {
        let mut waiting: Vec<usize> = self.nodes[ROOT].children.iter().rev().copied().collect();
        while let Some(id) = waiting.pop() {
            let node = &self.nodes[id];
            if visit(node) {
                waiting.extend(self.children(node).iter().rev());
            }
        }
    }

    /// The text in an element, without that of elements in it.
    #[must_use]
    pub fn text_in(&self, node: &Node) -> String {
        let texts = self.children(node).iter().filter_map(|id| match &self.nodes[*id].data {
            Data::Text(text) => Some(text.as_str()),
            _ => None,
        });
        texts.collect()
    }

    /// A node by its place.
    #[cfg(test)]
    #[must_use]
    pub fn node(&self, id: usize) -> &Node {
        &self.nodes[id]
    }

    /// The places of what stands in a node; of a template, of what it holds.
    #[must_use]
    pub fn children<'d>(&'d self, node: &'d Node) -> &'d [usize] {
        match &node.data {
            Data::Element(Element { content: Some(content), .. }) => &self.nodes[*content].children,
            _ => &node.children,
        }
    }
}

impl Element {
    /// The value of an attribute without a namespace.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|one| &*one.name.local == name);
        found.map(|attribute| &*attribute.value)
    }
}

enum Step {
    Open(usize),
    Close(Rc<QualName>),
}

impl Serialize for Document {
    fn serialize<S: Serializer>(&self, serializer: &mut S, _: TraversalScope) -> io::Result<()> {
        let mut steps: Vec<Step> =
            self.nodes[ROOT].children.iter().rev().copied().map(Step::Open).collect();
        while let Some(step) = steps.pop() {
            let node = match step {
                Step::Close(name) => {
                    serializer.end_elem((*name).clone())?;
                    continue;
                }
                Step::Open(id) => &self.nodes[id],
            };
            match &node.data {
                Data::Root => {}
                Data::Doctype(name) => serializer.write_doctype(name)?,
                Data::Text(text) => serializer.write_text(text)?,
                Data::Comment(text) => serializer.write_comment(text)?,
                Data::Element(element) => {
                    let attributes = element.attributes.iter();
                    let attributes =
                        attributes.map(|one| -> AttrRef<'_> { (&one.name, &*one.value) });
                    serializer.start_elem((*element.name).clone(), attributes)?;
                    steps.push(Step::Close(Rc::clone(&element.name)));
                    steps.extend(self.children(node).iter().rev().copied().map(Step::Open));
                }
            }
        }
        Ok(())
    }
}

/// A node while the tree is built: its place, and the name that an element has.
#[derive(Clone)]
struct Handle {
    id: usize,
    name: Rc<QualName>,
}

struct Sink {
    nodes: RefCell<Vec<Node>>,
}

impl Sink {
    fn add(&self, data: Data) -> usize {
        let mut nodes = self.nodes.borrow_mut();
        nodes.push(Node { data, parent: None, children: Vec::new() });
        nodes.len() - 1
    }

    fn nameless(id: usize) -> Handle {
        Handle { id, name: Rc::new(QualName::new(None, ns!(), local_name!(""))) }
    }

    /// Puts a node or text among the children of a parent; texts that meet become one.
    fn insert(&self, parent: usize, at: usize, child: NodeOrText<Handle>) {
        let id = match child {
            NodeOrText::AppendNode(node) => {
                self.detach(node.id);
                node.id
            }
            NodeOrText::AppendText(text) => {
                let mut nodes = self.nodes.borrow_mut();
                let before = at.checked_sub(1).map(|before| nodes[parent].children[before]);
                if let Some(before) = before
                    && let Data::Text(written) = &mut nodes[before].data
                {
                    written.push_str(&text);
                    return;
                }
                drop(nodes);
                self.add(Data::Text(text.to_string()))
            }
        };
        let mut nodes = self.nodes.borrow_mut();
        nodes[id].parent = Some(parent);
        let at = at.min(nodes[parent].children.len());
        nodes[parent].children.insert(at, id);
    }

    fn detach(&self, id: usize) {
        let mut nodes = self.nodes.borrow_mut();
        if let Some(parent) = nodes[id].parent.take() {
            nodes[parent].children.retain(|child| *child != id);
        }
    }

    fn place_of(&self, id: usize) -> Option<(usize, usize)> {
        let nodes = self.nodes.borrow();
        let parent = nodes[id].parent?;
        let at = nodes[parent].children.iter().position(|child| *child == id)?;
        Some((parent, at))
    }
}

impl TreeSink for Sink {
    type Handle = Handle;
    type Output = Document;
    type ElemName<'a>
        = ExpandedName<'a>
    where
        Self: 'a;

    fn finish(self) -> Document {
        Document { nodes: self.nodes.into_inner() }
    }

    fn get_document(&self) -> Handle {
        Self::nameless(ROOT)
    }

    fn elem_name<'a>(&'a self, target: &'a Handle) -> ExpandedName<'a> {
        target.name.expanded()
    }

    fn create_element(
        &self,
        name: QualName,
        attributes: Vec<Attribute>,
        flags: ElementFlags,
    ) -> Handle {
        let content = flags.template.then(|| self.add(Data::Root));
        let name = Rc::new(name);
        let element = Element { name: Rc::clone(&name), attributes, content };
        Handle { id: self.add(Data::Element(element)), name }
    }

    fn create_comment(&self, text: StrTendril) -> Handle {
        Self::nameless(self.add(Data::Comment(text.to_string())))
    }

    fn create_pi(&self, _: StrTendril, data: StrTendril) -> Handle {
        Self::nameless(self.add(Data::Comment(data.to_string())))
    }

    fn append(&self, parent: &Handle, child: NodeOrText<Handle>) {
        let last = self.nodes.borrow()[parent.id].children.len();
        self.insert(parent.id, last, child);
    }

    fn append_before_sibling(&self, sibling: &Handle, child: NodeOrText<Handle>) {
        if let NodeOrText::AppendNode(node) = &child {
            self.detach(node.id);
        }
        if let Some((parent, at)) = self.place_of(sibling.id) {
            self.insert(parent, at, child);
        }
    }

    fn append_based_on_parent_node(
        &self,
        element: &Handle,
        previous: &Handle,
        child: NodeOrText<Handle>,
    ) {
        if self.place_of(element.id).is_some() {
            self.append_before_sibling(element, child);
        } else {
            self.append(previous, child);
        }
    }

    fn append_doctype_to_document(&self, name: StrTendril, _: StrTendril, _: StrTendril) {
        let doctype = Self::nameless(self.add(Data::Doctype(name.to_string())));
        self.append(&Self::nameless(ROOT), NodeOrText::AppendNode(doctype));
    }

    fn get_template_contents(&self, target: &Handle) -> Handle {
        let content = match &self.nodes.borrow()[target.id].data {
            Data::Element(element) => element.content,
            _ => None,
        };
        Self::nameless(content.unwrap_or(target.id))
    }

    fn same_node(&self, one: &Handle, other: &Handle) -> bool {
        one.id == other.id
    }

    fn add_attrs_if_missing(&self, target: &Handle, attributes: Vec<Attribute>) {
        if let Data::Element(element) = &mut self.nodes.borrow_mut()[target.id].data {
            for attribute in attributes {
                if element.attributes.iter().all(|known| known.name != attribute.name) {
                    element.attributes.push(attribute);
                }
            }
        }
    }

    fn remove_from_parent(&self, target: &Handle) {
        self.detach(target.id);
    }

    fn reparent_children(&self, node: &Handle, new_parent: &Handle) {
        let mut nodes = self.nodes.borrow_mut();
        let children = std::mem::take(&mut nodes[node.id].children);
        for child in &children {
            nodes[*child].parent = Some(new_parent.id);
        }
        nodes[new_parent.id].children.extend(children);
    }

    fn parse_error(&self, _: Cow<'static, str>) {}
    fn set_quirks_mode(&self, _: QuirksMode) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(html: &str, expected: &str) {
        let markup = Document::parse(html.as_bytes()).markup();
        assert_eq!(String::from_utf8(markup).unwrap(), expected, "{html}");
    }

    #[test]
    fn a_page_becomes_the_tree_that_browsers_make_of_it() {
        let page = |body: &str| format!("<html><head></head><body>{body}</body></html>");
        check("a&lt;b", &page("a&lt;b"));
        check("<p>a<p title='\"'>b", &page("<p>a</p><p title=\"&quot;\">b</p>"));
        check("<b><p>a</b>c</p>", &page("<b></b><p><b>a</b>c</p>"));
        check("<table>x<tr>y<td>z", &page("xy<table><tbody><tr><td>z</td></tr></tbody></table>"));
        check("<!-- a --><!doctype html>", &format!("<!-- a --><!DOCTYPE html>{}", page("")));
        check("<svg><title>t</svg>", &page("<svg><title>t</title></svg>"));
        check("a<template><i>b</template>", &page("a<template><i>b</i></template>"));
        check("<p><noscript><b></noscript>", &page("<p><noscript><b></noscript></p>"));
    }

    #[test]
    fn no_depth_is_too_deep() {
        let deep = "<i>".repeat(80_000);
        let document = Document::parse(deep.as_bytes());
        let mut elements = 0;
        document.walk(|node| {
            elements += usize::from(matches!(node.data, Data::Element(_)));
            true
        });
        assert_eq!(elements, 80_003);
        assert!(document.markup().len() > 2 * deep.len());
    }
}
