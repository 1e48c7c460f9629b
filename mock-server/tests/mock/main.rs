//! The mock from outside: a raw client, and what the recorder got to see.

mod analytics;
mod announced;
mod control;
mod document;
mod embedded;
mod faults;
mod keys;
mod links;
mod manners;
mod pages;
mod receiver;
mod registrations;
mod rig;
mod routes;
mod secrets;
mod tls_client;
mod vault;
mod webhook_table;
mod webhooks;
mod wire;
