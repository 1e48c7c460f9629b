//! Link-in-bio pages: filled from Linktree, cached, and written as HTML.

mod cache;
mod fill;
mod freshness;
mod html;
mod policy;
mod status;

pub use cache::{Pages, Reading};
pub use html::{HtmlPolicy, render};
pub use policy::{Aside, PagePolicy};
pub use status::cache_status;
