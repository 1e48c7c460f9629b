//! The mock from outside: a raw client, and what the recorder got to see.

mod analytics;
mod faults;
mod keys;
mod links;
mod manners;
mod pages;
mod rig;
mod routes;
mod wire;
